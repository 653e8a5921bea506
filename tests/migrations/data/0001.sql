-- A small contest as the code of 0001 wrote it: the columns it named, the statements it used.
-- Run on its own schema, on every later one, and there once more as what old processes still do during a deployment.
INSERT INTO unit (id, code, name, kind, division, parent_id, valid_from, valid_to, search_text, sort_key) VALUES
  (1, 'TW', 'Trung ương', 'central', '', NULL, '1976-01-01', NULL, 'trung uong', 'trung uong'),
  (2, '42', 'Hà Tĩnh', 'province', 'tỉnh', 1, '2025-07-01', NULL, 'ha tinh', 'ha tinh'),
  (3, '18073', 'Thành Sen', 'commune', 'phường', 2, '2025-07-01', NULL, 'thanh sen', 'thanh sen'),
  (4, '18074', 'Thành Sen cũ', 'commune', 'phường', 2, '2000-01-01', '2025-07-01', 'thanh sen cu', 'thanh sen cu');
INSERT INTO unit_change (id, date, from_unit_id, to_unit_id, part) VALUES (1, '2025-07-01', 4, 3, 'whole');
INSERT INTO contest (id, slug, title, is_current, created_at) VALUES (1, 'cuoc-thi', 'Cuộc thi', true, now());
INSERT INTO users (id, person_id, full_name, birth_year, unit_id, role, scope_unit_id, password_hash, auth_epoch,
                   barred_at, barred_reason, consent_at, created_at, synthetic) OVERRIDING SYSTEM VALUE VALUES
  (1, 1, 'Nguyễn Thị Anh', 2004, 3, 'participant', NULL, 'hash', 0, NULL, NULL, now(), now(), false),
  (2, 1, 'Nguyễn Thị Anh', 2004, 3, 'participant', NULL, NULL, 2, NULL, NULL, now(), now(), false),
  (3, 3, 'Trần Văn Bình', NULL, NULL, 'officer', 2, 'hash', 0, now(), 'left', NULL, now(), false);
INSERT INTO identity (id, user_id, kind, value, created_at) OVERRIDING SYSTEM VALUE VALUES
  (1, 1, 'phone', '+84900000001', now()), (2, 2, 'code', 'HT-0001', now());
INSERT INTO round (id, contest_id, number, theme, opens_at, closes_at, windows, rules, bank_version, key_version,
                   draw_secret, shards, scheduled_at, finalized_at, published_at) VALUES
  (1, 1, 1, 'Chủ đề 1', '2026-01-05', '2026-01-12', NULL, '{"questions": 1}', 1, 2, '\x05', 4, now(), now(), now()),
  (2, 1, 2, 'Chủ đề 2', '2026-01-12', '2026-01-19', '[]', '{}', NULL, 1, '\x06', 16, NULL, NULL, NULL);
CREATE TABLE entry_r1 PARTITION OF entry FOR VALUES IN (1);
CREATE TABLE standing_r1 PARTITION OF standing FOR VALUES IN (1) WITH (fillfactor = 70);
CREATE TABLE entry_r2 PARTITION OF entry FOR VALUES IN (2);
CREATE TABLE standing_r2 PARTITION OF standing FOR VALUES IN (2) WITH (fillfactor = 70);
INSERT INTO question (id, contest_id, round_id, stem_id, version, text, multiple, explanation, source, topic, difficulty,
                      tags, created_at, created_by, reviewed_at, reviewed_by, retired_at) VALUES
  (1, 1, 1, 1, 1, 'Câu hỏi?', false, 'Vì vậy.', 'Hiến pháp', 'a', 2, '[]', now(), 1, now(), 3, NULL);
INSERT INTO option (id, question_id, position, text, "right") VALUES (1, 1, 1, 'Có', true), (2, 1, 2, 'Không', false);
INSERT INTO bank (id, round_id, version, content, frozen_at) VALUES (1, 1, 1, '[]', now());
INSERT INTO key_version (id, round_id, bank_version, version, key, reason, created_at, created_by, approved_at,
                         approved_by) VALUES
  (1, 1, 1, 1, '[{"accept": [1], "void": false}]', '', now(), NULL, NULL, NULL),
  (2, 1, 1, 2, '[{"accept": [2], "void": false}]', 'wrong', now(), 1, now(), 3);
INSERT INTO target (id, contest_id, round_id, unit_id, participants, entries) VALUES (1, 1, NULL, 3, 100, 300);
INSERT INTO entry (round_id, participant_id, issuer, attempt, unit_id, bank_version, key_version, kind, score, correct,
                   prediction, duration_ms, started_at, received_at, counted, excluded_reason, questions, answers,
                   merit, channel, session_id) VALUES
  (1, 1, 0, 1, 3, 1, 2, 1, 1, 1, 80, 60000, '2026-01-06 08:00+07', '2026-01-06 08:01+07', true, NULL, '\x0000',
   '\x0002', '\x01', NULL, NULL),
  (1, 1, 0, 2, 3, 1, 2, 2, 0, 0, NULL, 60000, '2026-01-07 08:00+07', '2026-01-07 08:01+07', false, 'late', '\x0000',
   '\x0001', '\x00', 'qr', 5)
  ON CONFLICT DO NOTHING;
INSERT INTO standing (round_id, person_id, participant_id, issuer, attempt, unit_id, entries, score, correct, prediction,
                      duration_ms, received_at, merit) VALUES
  (1, 1, 1, 0, 1, 3, 1, 1, 1, 80, 60000, '2026-01-06 08:01+07', '\x01');
INSERT INTO contest_standing (contest_id, person_id, unit_id, entries, rounds, score) VALUES (1, 1, 3, 1, 1, 1);
INSERT INTO tally (round_id, unit_id, shard, participants, entries, score_sum) VALUES (1, 3, 1, 1, 1, 1);
INSERT INTO contest_tally (contest_id, unit_id, shard, participants, entries, standings, score_sum)
  VALUES (1, 3, 1, 1, 1, 1, 1);
INSERT INTO watermark (round_id, shard, stream_id, entries) VALUES (1, 1, '1767661260000-0', 1);
INSERT INTO counting_event (contest_id, round_id, person_id, kind, detail, reason, actor_id, at)
  VALUES (1, 1, 1, 'exclusion', '{}', 'late', 3, now());
INSERT INTO audit_event (id, at, actor_id, action, subject, detail, reason, previous_hash, hash)
  VALUES (1, now(), 3, 'key.corrected', 'round:1', '{}', 'wrong', '\x00', '\x01');
-- Explicit numbers don't move the sequences; new rows must not meet the old ones.
SELECT setval(pg_get_serial_sequence(name, 'id'), 1000)
  FROM unnest(ARRAY['unit', 'unit_change', 'contest', 'users', 'identity', 'round', 'question', 'option', 'bank',
                    'key_version', 'target', 'counting_event']) AS name;
