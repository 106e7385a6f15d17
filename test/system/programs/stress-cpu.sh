# One round of every method of stress-ng's CPU stressor, each verified by stress-ng itself.
methods="ackermann apery bitops callfunc cdouble cfloat clongdouble collatz correlate crc16 decimal32 decimal64 decimal128
  dither div8 div16 div32 div64 div128 double euler explog factorial fibonacci fft fletcher16 float float32 float64 float80
  float128 floatconversion gamma gcd gray hamming hanoi hyperbolic idct int128 int64 int32 int16 int8 int128float int128double
  int128decimal128 int64float int64double int64longdouble int32float
  int32double intconversion ipv4checksum jmp lfsr32 ln2 logmap longdouble loop matrixprod nsqrt omega parity phi
  pi prime psi queens rand rand48 rgb sieve sqrt stats trig union zeta"
[ "$1" = quick ] && methods="bitops clongdouble decimal64 fft float80 int128 jmp trig"
for method in $methods; do
  stress-ng --quiet --verify --cpu 1 --cpu-method "$method" --cpu-ops 1
  echo "cpu $method ends with code $?"
done
