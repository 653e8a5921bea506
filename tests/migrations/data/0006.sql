-- What the code of 0006 writes besides.
INSERT INTO key_proposal (round_id, key_version_id, from_version, state, tries, notice_title, notice, effect, counted_at)
  SELECT round_id, id, version, 'counted', 1, 'Sửa đáp án', 'Đáp án câu 3 được sửa.', '{"entries": 0}', now() FROM key_version LIMIT 1;
