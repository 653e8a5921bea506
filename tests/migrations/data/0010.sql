-- What the code of 0010 writes besides.
INSERT INTO rank_step (round_id, merit, above) SELECT id, '\x0a', 2000 FROM round LIMIT 1;
