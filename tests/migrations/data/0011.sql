-- What the code of 0011 writes besides.
INSERT INTO award_list (contest_id, round_id, version, state, rules, secret, passed, made_by, made_at)
  SELECT contest_id, r.id, 1, 'provisional', '{"prizes": [], "prize_caps": {"person_round": 1}}', 'secret', '[]', u.id, now()
  FROM round r, (SELECT min(id) AS id FROM users) u LIMIT 1;
INSERT INTO award (list_id, prize, place, name, kind, value, person_id, why, state, reason, made_at)
  SELECT l.id, 'first', 1, 'Giải Nhất', 'individual', 4000000, l.made_by, '{}', 'held', '', now() FROM award_list l LIMIT 1;
INSERT INTO award_lot (list_id, line, places, ids, members, sha256, state, made_at)
  SELECT id, 'individual', '[["first", 1]]', E'a\nb\n', '[1, 2]', 'x', 'waiting', now() FROM award_list LIMIT 1;
