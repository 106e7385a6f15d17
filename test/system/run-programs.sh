#!/bin/bash
# Runs programs of /work/programs and leaves in /work/results what each printed (NAME.out), and its exit code with the times of its
# start and its end (NAME.status). The same script runs natively and in the guest.
#
# run-programs.sh quick|full NAME...
size=$1
shift
mkdir -p /work/results /work/tmp
for name in "$@"; do
  mkdir "/work/tmp/$name"
  cd "/work/tmp/$name" || exit 1
  echo "umbra: $name begins"
  begin=$EPOCHREALTIME
  # The C library must not choose by processor where results differ: a fused multiply-add rounds once instead of twice.
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/work LC_ALL=C TZ=UTC SOURCES=/work/programs/sources \
    GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX,-FMA,-FMA4 \
    bash "/work/programs/$name.sh" "$size" </dev/null >"/work/results/$name.out" 2>&1
  echo "$? $begin $EPOCHREALTIME" >"/work/results/$name.status"
  echo "umbra: $name ended"
  cd / && rm -rf "/work/tmp/$name"
done
