-- What the code of 0008 writes besides.
UPDATE users SET member_kind = 'student' WHERE id = (SELECT min(id) FROM users);
UPDATE contest SET rules = '{"questions": 10}';
INSERT INTO contest_bar (contest_id, user_id, function, reason, at)
  SELECT (SELECT min(id) FROM contest), min(id), 'committee', 'Ban Tổ chức', now() FROM users;
