-- Builds a database in memory and prints sums over it, which depend on every row.
CREATE TABLE item (id INTEGER PRIMARY KEY, owner INTEGER, name TEXT, value INTEGER);
WITH RECURSIVE n(i, x) AS (
  SELECT 1, 12345 UNION ALL SELECT i + 1, (x * 1103515245 + 12345) % 2147483648 FROM n WHERE i < 120000
)
INSERT INTO item SELECT i, x % 1000, 'item-' || hex(x), x % 99991 FROM n;
CREATE INDEX item_owner ON item (owner, value);
CREATE TABLE owner AS SELECT owner AS id, count(*) AS items, sum(value) AS total FROM item GROUP BY owner;
UPDATE item SET value = value + (SELECT total % 97 FROM owner WHERE owner.id = item.owner) WHERE id % 3 = 0;
DELETE FROM item WHERE value % 11 = 4;
CREATE INDEX item_name ON item (name);
-- All at once, at the end: what a checkpoint in between goes back to has printed nothing yet.
SELECT line FROM (
  SELECT 1 AS place, 'rows|' || count(*) || '|' || sum(value) || '|' || sum(value * (id % 1009)) || '|' || min(name) || '|' || max(name) AS line
  FROM item
  UNION ALL
  SELECT 2, 'joined|' || count(*) || '|' || sum(item.value * owner.items % 1000003) FROM item JOIN owner ON owner.id = item.owner
  UNION ALL
  SELECT 3, integrity_check FROM pragma_integrity_check
) ORDER BY place;
