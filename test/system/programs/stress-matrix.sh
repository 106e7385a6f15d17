# Matrices, vectors and sorting by stress-ng, each verified by stress-ng itself.
methods="add copy div frobenius hadamard identity mean mult negate prod sub square trans zero"
[ "$1" = quick ] && methods="mult square"
for method in $methods; do
  stress-ng --quiet --verify --matrix 1 --matrix-size 64 --matrix-method "$method" --matrix-ops 20
  echo "matrix $method ends with code $?"
done
stressors="vecmath vecfp vecshuf vecwide funccall funcret longjmp bitonicsort fp crypt hash skiplist str wcs hsearch"
[ "$1" = quick ] && stressors="vecmath vecfp crypt hash"
for stressor in $stressors; do
  stress-ng --quiet --verify --$stressor 1 --$stressor-ops 5
  echo "$stressor ends with code $?"
done
