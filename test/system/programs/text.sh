# sort, awk, sed, grep and other coreutils over a large generated file.
# Run by bash: some commands read from several pipes.
lines=120000
[ "$1" = quick ] && lines=10000
gawk -v lines="$lines" 'BEGIN { seed = 42; for (n = 0; n < lines; n++) { seed = (seed * 16807) % 2147483647; printf "%d\t%08x\t%s\t%.6f\n", n, seed, substr("alphabravocharliedeltaechofoxtrot", seed % 25 + 1, 7), seed / 2147483647 } }' >data
wc data
sha256sum data
sort data | sha256sum
sort -t "$(printf '\t')" -k 3,3 -k 2,2r data | sha256sum
sort -t "$(printf '\t')" -k 4,4g -s data | head -n 2
sort -n -r --parallel=1 -S 2M data | md5sum
cut -f 3 data | sort | uniq -c | sort -k 1,1nr -k 2 | head -n 5
gawk -F '\t' '{ sum[$3] += $4; count[$3]++ } END { for (name in sum) printf "%s %d %.10f\n", name, count[name], sum[name] }' data | sort | sha256sum
gawk '{ total += sin($4) * exp($4) } END { printf "%.10f\n", total }' data
sed -E 's/([a-z]+)\t0\.([0-9]+)/\2\t\1/; s/[aeiou]/_/g; y/bcd/BCD/' data | sha256sum
grep -c -E 'a[^a]*o.*7{2}' data
grep -v -F 0 data | wc -l
tr 'a-z' 'n-za-m' <data | rev | tac | cksum
split -l 10000 data part. && cat part.* | cmp - data && echo "split read back"
join -t "$(printf '\t')" -1 2 -2 2 <(sort -t "$(printf '\t')" -k 2,2 data) <(head -n 2000 data | sort -t "$(printf '\t')" -k 2,2) | wc -l
comm -12 <(cut -f 3 data | sort -u) <(head -n 50 data | cut -f 3 | sort -u) | wc -l
od -A x -t x1z data | tail -n 2
base64 data | sha1sum
seq 1 50000 | paste - - - | numfmt --field 2 --to=iec | tail -n 1
factor 600851475143 18446744073709551557 340282366920938463463374607431768211455
shuf --random-source=data -n 3 data | cut -f 1
date --date=@1234567890 --utc
expr 123456789012345678901234567890 \* 98765432109876543210
