-- What the code of 0007 writes besides.
INSERT INTO signal (id, round_id, kind, subject, strength, evidence, state, found_at, reason) OVERRIDING SYSTEM VALUE
  VALUES (1, 1, 'speed', '1', 90, '{"median_ms": 180000}', 'open', now(), '');
INSERT INTO signal_entry (signal_id, participant_id, issuer, attempt) VALUES (1, 1, 0, 1);
INSERT INTO signal_scan (round_id, tries, at, figures) VALUES (1, 1, now(), '{}');
INSERT INTO appeal (id, round_id, participant_id, issuer, attempt, kind, question_id, text, state, made_at, due_at, answer)
  OVERRIDING SYSTEM VALUE
  VALUES (1, 1, 1, 0, 1, 'question', '1', 'Đáp án câu này khác với sách giáo khoa.', 'open', now(), now(), '');
INSERT INTO appeal_template (title, body, verdict) VALUES ('Giữ nguyên', 'Đáp án được giữ nguyên vì', 'rejected');
INSERT INTO counting_request (round_id, entries, counted, reason, signal_id, asked_at, asked_by, tries)
  VALUES (1, '[[1, 0, 1]]', false, 'Nộp quá nhanh', 1, now(), 3, 0);
