"""The first tables.

Revision ID: 0001
Revises: 
Create Date: 2026-11-21 18:54:28.236422

"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('contest',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('slug', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('is_current', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('contest_key')),
    sa.UniqueConstraint('slug', name=op.f('contest_one_per_slug'))
    )
    op.create_index('contest_one_is_current', 'contest', ['is_current'], unique=True, postgresql_where='is_current')
    op.create_table('contest_standing',
    sa.Column('contest_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('person_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('unit_id', sa.Integer(), nullable=False),
    sa.Column('entries', sa.Integer(), nullable=False),
    sa.Column('rounds', sa.SmallInteger(), nullable=False),
    sa.Column('score', sa.Integer(), nullable=False),
    sa.CheckConstraint('entries > 0', name=op.f('contest_standing_counts_an_entry')),
    sa.PrimaryKeyConstraint('contest_id', 'person_id', name=op.f('contest_standing_key'))
    )
    op.create_table('contest_tally',
    sa.Column('contest_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('unit_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('shard', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('participants', sa.Integer(), nullable=False),
    sa.Column('entries', sa.Integer(), nullable=False),
    sa.Column('standings', sa.Integer(), nullable=False),
    sa.Column('score_sum', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('contest_id', 'unit_id', 'shard', name=op.f('contest_tally_key'))
    )
    op.create_table('entry',
    sa.Column('round_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('participant_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('issuer', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('attempt', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('unit_id', sa.Integer(), nullable=False),
    sa.Column('bank_version', sa.SmallInteger(), nullable=False),
    sa.Column('key_version', sa.SmallInteger(), nullable=False),
    sa.Column('kind', sa.SmallInteger(), nullable=False),
    sa.Column('score', sa.Integer(), nullable=False),
    sa.Column('correct', sa.SmallInteger(), nullable=False),
    sa.Column('prediction', sa.BigInteger(), nullable=True),
    sa.Column('duration_ms', sa.Integer(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('counted', sa.Boolean(), nullable=False),
    sa.Column('excluded_reason', sa.Text(), nullable=True),
    sa.Column('questions', sa.LargeBinary(), nullable=False),
    sa.Column('answers', sa.LargeBinary(), nullable=False),
    sa.Column('merit', sa.LargeBinary(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=True),
    sa.Column('session_id', sa.Integer(), nullable=True),
    sa.CheckConstraint('attempt > 0', name=op.f('entry_attempt_is_positive')),
    sa.CheckConstraint('counted = (excluded_reason IS NULL)', name=op.f('entry_excluded_with_a_reason')),
    sa.CheckConstraint('started_at <= received_at', name=op.f('entry_received_after_the_start')),
    sa.PrimaryKeyConstraint('round_id', 'participant_id', 'issuer', 'attempt', name=op.f('entry_key')),
    postgresql_partition_by='LIST (round_id)'
    )
    op.create_table('standing',
    sa.Column('round_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('person_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('participant_id', sa.BigInteger(), nullable=False),
    sa.Column('issuer', sa.SmallInteger(), nullable=False),
    sa.Column('attempt', sa.SmallInteger(), nullable=False),
    sa.Column('unit_id', sa.Integer(), nullable=False),
    sa.Column('entries', sa.Integer(), nullable=False),
    sa.Column('score', sa.Integer(), nullable=False),
    sa.Column('correct', sa.SmallInteger(), nullable=False),
    sa.Column('prediction', sa.BigInteger(), nullable=True),
    sa.Column('duration_ms', sa.Integer(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('merit', sa.LargeBinary(), nullable=False),
    sa.Column('rank', sa.Integer(), nullable=True),
    sa.CheckConstraint('entries > 0', name=op.f('standing_counts_an_entry')),
    sa.PrimaryKeyConstraint('round_id', 'person_id', name=op.f('standing_key')),
    postgresql_partition_by='LIST (round_id)'
    )
    op.create_index('standing_by_merit', 'standing', ['round_id', sa.text('merit DESC')])
    op.create_table('tally',
    sa.Column('round_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('unit_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('shard', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('participants', sa.Integer(), nullable=False),
    sa.Column('entries', sa.Integer(), nullable=False),
    sa.Column('score_sum', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('round_id', 'unit_id', 'shard', name=op.f('tally_key'))
    )
    op.create_table('unit',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('division', sa.Text(), nullable=False),
    sa.Column('parent_id', sa.Integer(), nullable=True),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('search_text', sa.Text(), nullable=False),
    sa.Column('sort_key', sa.Text(), nullable=False),
    sa.CheckConstraint("(kind = 'central') = (parent_id IS NULL)", name=op.f('unit_only_the_central_has_no_parent')),
    sa.CheckConstraint("kind IN ('central','province','union','commune','branch')", name=op.f('unit_kind_is_known')),
    sa.CheckConstraint('valid_to IS NULL OR valid_from < valid_to', name=op.f('unit_dates_are_in_order')),
    sa.ForeignKeyConstraint(['parent_id'], ['unit.id'], name=op.f('unit_parent_id_exists')),
    sa.PrimaryKeyConstraint('id', name=op.f('unit_key')),
    sa.UniqueConstraint('code', 'valid_from', name=op.f('unit_one_per_code_valid_from'))
    )
    op.create_index('unit_by_parent', 'unit', ['parent_id', 'sort_key'], unique=False)
    op.create_index('unit_one_current_per_code', 'unit', ['code'], unique=True, postgresql_where='valid_to IS NULL')

    op.create_table('watermark',
    sa.Column('round_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('shard', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('stream_id', sa.Text(), nullable=False),
    sa.Column('entries', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('round_id', 'shard', name=op.f('watermark_key'))
    )
    op.create_table('round',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('contest_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.SmallInteger(), nullable=False),
    sa.Column('theme', sa.Text(), nullable=False),
    sa.Column('opens_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closes_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('windows', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('rules', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('bank_version', sa.SmallInteger(), nullable=True),
    sa.Column('key_version', sa.SmallInteger(), nullable=False),
    sa.Column('draw_secret', sa.LargeBinary(), nullable=False),
    sa.Column('shards', sa.SmallInteger(), nullable=False),
    sa.Column('scheduled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finalized_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    postgresql.ExcludeConstraint((sa.text("int4range(contest_id, contest_id, '[]')"), '&&'), (sa.text('tstzrange(opens_at, closes_at)'), '&&'), deferrable=True, initially='DEFERRED', using='gist', name='round_windows_never_overlap'),
    sa.CheckConstraint('finalized_at IS NULL OR scheduled_at IS NOT NULL', name=op.f('round_final_only_if_scheduled')),
    sa.CheckConstraint('number > 0', name=op.f('round_number_is_positive')),
    sa.CheckConstraint('opens_at < closes_at', name=op.f('round_opens_before_it_closes')),
    sa.CheckConstraint('published_at IS NULL OR finalized_at IS NOT NULL', name=op.f('round_published_only_if_final')),
    sa.CheckConstraint('scheduled_at IS NULL OR bank_version IS NOT NULL', name=op.f('round_scheduled_only_with_a_bank')),
    sa.CheckConstraint('shards BETWEEN 1 AND 1024', name=op.f('round_shards_are_sane')),
    sa.ForeignKeyConstraint(['contest_id'], ['contest.id'], name=op.f('round_contest_id_exists')),
    sa.PrimaryKeyConstraint('id', name=op.f('round_key')),
    sa.UniqueConstraint('contest_id', 'number', name=op.f('round_one_per_contest_id_number'))
    )
    op.create_table('unit_change',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('date', sa.Date(), nullable=False),
    sa.Column('from_unit_id', sa.Integer(), nullable=False),
    sa.Column('to_unit_id', sa.Integer(), nullable=False),
    sa.Column('part', sa.Text(), nullable=False),
    sa.CheckConstraint("part IN ('whole','part')", name=op.f('unit_change_part_is_known')),
    sa.CheckConstraint('from_unit_id <> to_unit_id', name=op.f('unit_change_goes_somewhere_else')),
    sa.ForeignKeyConstraint(['from_unit_id'], ['unit.id'], name=op.f('unit_change_from_unit_id_exists')),
    sa.ForeignKeyConstraint(['to_unit_id'], ['unit.id'], name=op.f('unit_change_to_unit_id_exists')),
    sa.PrimaryKeyConstraint('id', name=op.f('unit_change_key')),
    sa.UniqueConstraint('from_unit_id', 'to_unit_id', name=op.f('unit_change_one_per_from_unit_id_to_unit_id'))
    )
    op.create_index(op.f('unit_change_by_to_unit_id'), 'unit_change', ['to_unit_id'], unique=False)

    op.create_table('users',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('full_name', sa.Text(), nullable=False),
    sa.Column('birth_year', sa.SmallInteger(), nullable=True),
    sa.Column('unit_id', sa.Integer(), nullable=True),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('scope_unit_id', sa.Integer(), nullable=True),
    sa.Column('password_hash', sa.Text(), nullable=True),
    sa.Column('auth_epoch', sa.Integer(), nullable=False),
    sa.Column('barred_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('barred_reason', sa.Text(), nullable=True),
    sa.Column('consent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('synthetic', sa.Boolean(), nullable=False),
    sa.CheckConstraint("(role = 'officer') = (scope_unit_id IS NOT NULL)", name=op.f('users_an_officer_has_a_unit')),
    sa.CheckConstraint("role <> 'participant' OR unit_id IS NOT NULL", name=op.f('users_a_participant_has_a_unit')),
    sa.CheckConstraint("role IN ('participant','officer','organizer','administrator')", name=op.f('users_role_is_known')),
    sa.CheckConstraint('(barred_at IS NULL) = (barred_reason IS NULL)', name=op.f('users_barred_with_a_reason')),
    sa.ForeignKeyConstraint(['scope_unit_id'], ['unit.id'], name=op.f('users_scope_unit_id_exists')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('users_unit_id_exists')),
    sa.PrimaryKeyConstraint('id', name=op.f('users_key'))
    )
    op.create_index('users_by_unit', 'users', ['unit_id'], unique=False)
    op.create_index('users_merged', 'users', ['id', 'person_id'], unique=False, postgresql_where='person_id <> id')
    op.create_index('users_to_recheck', 'users', ['id'], unique=False, postgresql_where='auth_epoch > 0 OR barred_at IS NOT NULL')

    op.create_table('audit_event',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_id', sa.BigInteger(), nullable=True),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('previous_hash', sa.LargeBinary(), nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['actor_id'], ['users.id'], name=op.f('audit_event_actor_id_exists')),
    sa.PrimaryKeyConstraint('id', name=op.f('audit_event_key'))
    )
    op.create_table('bank',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('round_id', sa.Integer(), nullable=False),
    sa.Column('version', sa.SmallInteger(), nullable=False),
    sa.Column('content', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('frozen_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('bank_round_id_exists')),
    sa.PrimaryKeyConstraint('id', name=op.f('bank_key')),
    sa.UniqueConstraint('round_id', 'version', name=op.f('bank_one_per_round_id_version'))
    )
    op.create_table('counting_event',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('contest_id', sa.Integer(), nullable=False),
    sa.Column('round_id', sa.Integer(), nullable=True),
    sa.Column('person_id', sa.BigInteger(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('actor_id', sa.BigInteger(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('session','disqualification','merge','move','exclusion','key')", name=op.f('counting_event_kind_is_known')),
    sa.CheckConstraint('length(trim(reason)) > 0', name=op.f('counting_event_reason_is_given')),
    sa.ForeignKeyConstraint(['actor_id'], ['users.id'], name=op.f('counting_event_actor_id_exists')),
    sa.ForeignKeyConstraint(['contest_id'], ['contest.id'], name=op.f('counting_event_contest_id_exists')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('counting_event_round_id_exists')),
    sa.PrimaryKeyConstraint('id', name=op.f('counting_event_key'))
    )
    op.create_table('identity',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('phone','code','email','oidc')", name=op.f('identity_kind_is_known')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('identity_user_id_exists'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('identity_key')),
    sa.UniqueConstraint('kind', 'value', name=op.f('identity_one_per_kind_value'))
    )
    op.create_index(op.f('identity_by_user_id'), 'identity', ['user_id'], unique=False)

    op.create_table('key_version',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('round_id', sa.Integer(), nullable=False),
    sa.Column('bank_version', sa.SmallInteger(), nullable=False),
    sa.Column('version', sa.SmallInteger(), nullable=False),
    sa.Column('key', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.BigInteger(), nullable=True),
    sa.Column('approved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('approved_by', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['approved_by'], ['users.id'], name=op.f('key_version_approved_by_exists')),
    sa.ForeignKeyConstraint(['created_by'], ['users.id'], name=op.f('key_version_created_by_exists')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('key_version_round_id_exists')),
    sa.PrimaryKeyConstraint('id', name=op.f('key_version_key')),
    sa.UniqueConstraint('round_id', 'version', name=op.f('key_version_one_per_round_id_version'))
    )
    op.create_table('question',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('contest_id', sa.Integer(), nullable=False),
    sa.Column('round_id', sa.Integer(), nullable=True),
    sa.Column('stem_id', sa.Integer(), nullable=False),
    sa.Column('version', sa.SmallInteger(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('multiple', sa.Boolean(), nullable=False),
    sa.Column('explanation', sa.Text(), nullable=True),
    sa.Column('source', sa.Text(), nullable=True),
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('difficulty', sa.SmallInteger(), nullable=False),
    sa.Column('tags', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.BigInteger(), nullable=True),
    sa.Column('reviewed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reviewed_by', sa.BigInteger(), nullable=True),
    sa.Column('retired_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('difficulty BETWEEN 1 AND 5', name=op.f('question_difficulty_from_1_to_5')),
    sa.CheckConstraint('length(trim(text)) > 0', name=op.f('question_text_is_not_empty')),
    sa.CheckConstraint('reviewed_by IS NULL OR reviewed_by <> created_by', name=op.f('question_reviewed_by_a_second_person')),
    sa.ForeignKeyConstraint(['contest_id'], ['contest.id'], name=op.f('question_contest_id_exists')),
    sa.ForeignKeyConstraint(['created_by'], ['users.id'], name=op.f('question_created_by_exists')),
    sa.ForeignKeyConstraint(['reviewed_by'], ['users.id'], name=op.f('question_reviewed_by_exists')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('question_round_id_exists')),
    sa.PrimaryKeyConstraint('id', name=op.f('question_key')),
    sa.UniqueConstraint('stem_id', 'version', name=op.f('question_one_per_stem_id_version'))
    )
    op.create_index(op.f('question_by_round_id'), 'question', ['round_id'], unique=False)

    op.create_table('target',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('contest_id', sa.Integer(), nullable=False),
    sa.Column('round_id', sa.Integer(), nullable=True),
    sa.Column('unit_id', sa.Integer(), nullable=False),
    sa.Column('participants', sa.Integer(), nullable=False),
    sa.Column('entries', sa.Integer(), nullable=False),
    sa.CheckConstraint('participants >= 0 AND entries >= 0', name=op.f('target_never_negative')),
    sa.ForeignKeyConstraint(['contest_id'], ['contest.id'], name=op.f('target_contest_id_exists')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('target_round_id_exists')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('target_unit_id_exists')),
    sa.PrimaryKeyConstraint('id', name=op.f('target_key')),
    sa.UniqueConstraint('contest_id', 'round_id', 'unit_id', name=op.f('target_one_per_contest_id_round_id_unit_id'), postgresql_nulls_not_distinct=True)
    )
    op.create_table('option',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('question_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.SmallInteger(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('right', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['question_id'], ['question.id'], name=op.f('option_question_id_exists'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('option_key')),
    sa.UniqueConstraint('question_id', 'position', name=op.f('option_one_per_question_id_position'))
    )


def downgrade() -> None:
    op.drop_table('option')
    op.drop_table('target')
    op.drop_index(op.f('question_by_round_id'), table_name='question')

    op.drop_table('question')
    op.drop_table('key_version')
    op.drop_index(op.f('identity_by_user_id'), table_name='identity')

    op.drop_table('identity')
    op.drop_table('counting_event')
    op.drop_table('bank')
    op.drop_table('audit_event')
    op.drop_index('users_to_recheck', table_name='users', postgresql_where='auth_epoch > 0 OR barred_at IS NOT NULL')
    op.drop_index('users_merged', table_name='users', postgresql_where='person_id <> id')
    op.drop_index('users_by_unit', table_name='users')

    op.drop_table('users')
    op.drop_index(op.f('unit_change_by_to_unit_id'), table_name='unit_change')

    op.drop_table('unit_change')
    op.drop_table('round')
    op.drop_table('watermark')
    op.drop_index('unit_one_current_per_code', table_name='unit', postgresql_where='valid_to IS NULL')
    op.drop_index('unit_by_parent', table_name='unit')

    op.drop_table('unit')
    op.drop_table('tally')
    op.drop_table('standing')
    op.drop_table('entry')
    op.drop_table('contest_tally')
    op.drop_table('contest_standing')
    op.drop_table('contest')
