# Perl: regular expressions, hashes, big numbers, sorting, packing and formats.
rounds=200000
[ "$1" = quick ] && rounds=10000
export rounds
perl -e '
  use strict; use warnings; use integer;
  my $seed = 12345;
  sub next_number { $seed = ($seed * 1103515245 + 12345) & 0x7fffffff; return $seed >> 8; }
  my %count; my $text = "";
  for (1 .. $ENV{rounds}) { my $word = sprintf("%x", next_number() % 4000); $count{$word}++; $text .= "$word "; }
  my @words = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
  print scalar(@words), " words, first: @words[0 .. 4]\n";
  my $found = () = $text =~ /\b([0-9a-f])[0-9a-f]?\1\b/g;
  print "$found palindromes\n";
  (my $changed = $text) =~ s/([a-f]+)(\d+)/$2$1/g;
  print unpack("%32C*", $changed), " ", length($changed), "\n";
  print join(",", map { unpack("H*", $_) } pack("NnCvVQd<", 1, 2, 3, 4, 5, 6, 0.1)), "\n";
'
perl -MMath::BigInt -e '
  my $factorial = Math::BigInt->new($ENV{rounds} > 10000 ? 300 : 60)->bfac;
  print "$factorial\n", $factorial->copy->bdiv("1" . "0" x 100) % 1000003, "\n";
  print Math::BigInt->new(2)->bmodpow("1000000007", "998244353998244353"), "\n";
'
perl -MDigest::SHA=sha512_hex -MDigest::MD5=md5_hex -MMIME::Base64 -MStorable=freeze,thaw -e '
  my $data = join(",", map { $_ * $_ } 1 .. 100000);
  print sha512_hex($data), "\n", md5_hex($data), "\n", length(encode_base64($data)), "\n";
  my $copy = thaw(freeze({ list => [1 .. 1000], text => $data }));
  print $copy->{text} eq $data ? "thawed\n" : "damaged\n", scalar @{ $copy->{list} }, "\n";
'
perl -e '
  my ($sum, $product) = (0, 1);
  for my $n (1 .. 4 * $ENV{rounds}) { $sum += sin($n) * sqrt($n) / (1 + atan2($n, 7)); $product = $product * 1.0000001 + 1e-9; }
  printf "%.17g %.17g %s\n", $sum, $product, 1 / 3;
  my @queens; my $solutions = 0;
  sub place { my ($row, $n) = @_; if ($row == $n) { $solutions++; return }
    COLUMN: for my $column (0 .. $n - 1) {
      for my $other (0 .. $row - 1) { my $d = $queens[$other] - $column; next COLUMN if $d == 0 || abs($d) == $row - $other }
      $queens[$row] = $column; place($row + 1, $n); } }
  my $size = $ENV{rounds} > 10000 ? 8 : 6; place(0, $size); print "$solutions ways for $size queens\n";
'
