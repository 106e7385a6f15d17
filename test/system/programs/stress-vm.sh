# Patterns in memory that are written and read back, by the methods of stress-ng's virtual memory stressor.
# Not here: those that take minutes (cache-lines, prime-incdec, rowhammer).
methods="cache-stripe checkerboard flip fwdrev galpat-0 galpat-1 gray grayflip incdec inc-nybble lfsr32 rand-set rand-sum
  read64 ror swap move-inv modulo-x mscan wrrd128nt prime-0 prime-1 prime-gray-0 prime-gray-1 walk-0d walk-1d walk-0a walk-1a
  write64 write64nt write1024v zero-one"
[ "$1" = quick ] && methods="flip move-inv walk-1a write64nt"
for method in $methods; do
  stress-ng --quiet --verify --vm 1 --vm-bytes 256K --vm-method "$method" --vm-ops 1
  echo "vm $method ends with code $?"
done
for stressor in fork pipe switch sigsegv sigfpe signal futex; do
  stress-ng --quiet --verify --$stressor 1 --$stressor-ops 20
  echo "$stressor ends with code $?"
done
