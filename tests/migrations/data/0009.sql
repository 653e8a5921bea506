-- What the code of 0009 writes besides.
<<<<<<< HEAD
UPDATE users SET member_kind = 'student' WHERE id = (SELECT min(id) FROM users);
UPDATE contest SET rules = '{"questions": 10}';
INSERT INTO contest_bar (contest_id, user_id, function, reason, at)
  SELECT (SELECT min(id) FROM contest), min(id), 'committee', 'Ban Tổ chức', now() FROM users;
=======
INSERT INTO award_list (contest_id, round_id, version, state, rules, secret, passed, made_by, made_at)
  SELECT contest_id, id, 1, 'provisional', '{"prizes": [], "prize_caps": {"person_round": 1}}', 'secret', '[]', u.id, now()
  FROM round, (SELECT min(id) AS id FROM users) u LIMIT 1;
INSERT INTO award (list_id, prize, place, name, kind, value, person_id, why, state, reason, made_at)
  SELECT l.id, 'first', 1, 'Giải Nhất', 'individual', 4000000, l.made_by, '{}', 'held', '', now() FROM award_list l LIMIT 1;
INSERT INTO award_lot (list_id, line, places, ids, members, sha256, state, made_at)
  SELECT id, 'individual', '[["first", 1]]', E'a\nb\n', '[1, 2]', 'x', 'waiting', now() FROM award_list LIMIT 1;
>>>>>>> c702bb8 (Choose, keep and draw awards: tables, services and the pure rule)
