-- What the code of 0003 writes besides.
INSERT INTO announcement (contest_id, unit_id, round_id, title, body, at, actor_id)
  VALUES (1, 2, NULL, 'Thông báo', 'Lịch thi lùi lại.', now(), 3);
