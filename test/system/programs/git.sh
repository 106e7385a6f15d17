# A repository with fixed names and dates, so that even the hashes of its commits are fixed.
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=Umbra GIT_AUTHOR_EMAIL=umbra@example.org
export GIT_COMMITTER_NAME=Umbra GIT_COMMITTER_EMAIL=umbra@example.org
git init --quiet --initial-branch=main repository
cd repository || exit 1
commits=40 commit=0
[ "$1" = quick ] && commits=5
while [ "$commit" -lt "$commits" ]; do
  commit=$((commit + 1))
  mkdir -p "folder$((commit % 5))"
  awk -v commit="$commit" 'BEGIN { for (n = 0; n < 200; n++) print "line", n, (n * commit) % 97 }' >"folder$((commit % 5))/file$((commit % 11)).txt"
  git add --all
  export GIT_AUTHOR_DATE="2024-01-01T00:00:00+0000" GIT_COMMITTER_DATE="2024-01-01T$((10 + commit / 60)):$((10 + commit % 50)):00+0000"
  git commit --quiet --message "commit $commit"
done
git log --oneline | tail -n 3
git rev-parse HEAD HEAD~3 HEAD:folder1
git checkout --quiet -b side HEAD~2
echo side >side.txt
git add side.txt
git commit --quiet --message "on a branch"
git checkout --quiet main
git merge --quiet --no-edit side
git rev-parse HEAD
git diff --stat HEAD~3 | tail -n 1
git log --format=%H --graph | sha256sum
git blame folder1/file1.txt | sha256sum
git gc --quiet
git fsck --full --strict
git count-objects -v | grep -v size
git clone --quiet . ../clone
git -C ../clone rev-parse HEAD
git -C ../clone status --short --branch
