# A database on the disk: 100,000 rows, indexes, updates, deletions, a rollback, and SQLite's own check of what it wrote.
rows=100000
[ "$1" = quick ] && rows=5000
sqlite3 test.db <<SQL
PRAGMA journal_mode = wal;
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL, parent INTEGER);
WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < $rows)
  INSERT INTO item SELECT n, printf('item %06x', (n * 7919) % 1000003), (n * 31 % 1009) / 7.0, n / 10 FROM number;
CREATE INDEX item_name ON item (name);
CREATE INDEX item_parent ON item (parent, price);
SELECT count(*), sum(id), printf('%.6f', sum(price)), min(name), max(name) FROM item;
UPDATE item SET price = price * 1.07 WHERE id % 3 = 0;
DELETE FROM item WHERE id % 7 = 0;
BEGIN; DELETE FROM item WHERE id > 10; SELECT count(*) FROM item; ROLLBACK;
SELECT count(*), printf('%.6f', total(price)) FROM item;
SELECT parent, count(*), printf('%.3f', avg(price)) FROM item GROUP BY parent ORDER BY 3 DESC, 1 LIMIT 5;
SELECT count(*) FROM item a JOIN item b ON b.parent = a.id WHERE a.price > b.price;
SELECT sum(length(name)), count(DISTINCT substr(name, 6, 3)) FROM item WHERE name LIKE '%a%';
PRAGMA wal_checkpoint(TRUNCATE);
VACUUM;
PRAGMA integrity_check;
SQL
sqlite3 test.db .dump | sha256sum
sqlite3 test.db .dump | sqlite3 copy.db
sqlite3 copy.db 'PRAGMA integrity_check; SELECT count(*) FROM item;'
