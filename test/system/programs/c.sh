# C programs, compiled in the guest without and with optimization; both must print the same.
programs="integers floating data processes"
levels="0 2"
[ "$1" = quick ] && programs=processes levels=2
for program in $programs; do
  for level in $levels; do
    gcc -std=gnu17 -Wall -Wextra -frounding-math "-O$level" -o "$program-$level" "$SOURCES/$program.c" -lm -pthread
    "./$program-$level" >"$program-$level.out" 2>&1
    echo "$program -O$level ends with code $?"
  done
  cat "$program-2.out"
  [ "$1" = quick ] || { cmp "$program-0.out" "$program-2.out" && echo "$program: -O0 and -O2 agree"; }
done
[ "$1" = quick ] && exit
# The compiler's own output; no paths are in it.
for level in 1 3 s; do
  gcc -std=gnu17 "-O$level" -S -o - "$SOURCES/data.c" | sha256sum
done
