-- What the code of 0005 writes besides.
INSERT INTO second_factor (user_id, sealed, nonce, last_counter, created_at, confirmed_at)
  VALUES (3, '\x01', '\x02', 0, now(), now());
INSERT INTO recovery_code (user_id, hash, used_at) VALUES (3, '\x03', NULL);
