# Round trips through compressors; what they write is compared as well, since it follows from their input.
lines=40000 noise=300000
[ "$1" = quick ] && lines=3000 noise=20000
awk -v lines="$lines" 'BEGIN { for (n = 0; n < lines; n++) print n, n * n % 10007, "the quick brown fox " n % 13 }' >text
openssl enc -aes-128-ctr -K 01 -iv 01 -in /dev/zero 2>/dev/null | head -c "$noise" >noise
cat text noise >data
for level in 1 6 9; do
  gzip -n "-$level" <data >data.gz
  gzip -t data.gz && gzip -dc data.gz | cmp - data && echo "gzip -$level $(sha256sum <data.gz)"
done
for options in -0 -6 "-1 --check=crc32" "-3 --format=lzma" "-2 --check=sha256 --x86 --lzma2"; do
  # The options are several words.
  xz --threads=1 $options <data >data.xz
  xz -dc <data.xz | cmp - data && echo "xz $options $(sha256sum <data.xz)"
done
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu -cf - text noise | gzip -n | tee data.tar.gz | sha256sum
mkdir unpacked && tar -xzf data.tar.gz -C unpacked && cmp text unpacked/text && cmp noise unpacked/noise && echo "tar read back"
perl -MCompress::Zlib -MIO::Uncompress::Gunzip -e '
  local $/; open my $in, "<", "text"; my $text = <$in>;
  print length(Compress::Zlib::compress($text)), " ", Compress::Zlib::crc32($text), " ", Compress::Zlib::adler32($text), "\n"'
printf damaged | dd of=data.gz bs=1 seek=2000 conv=notrunc 2>/dev/null
gzip -t data.gz 2>&1
