{#
    The project's own `incremental` for MySQL, MariaDB and the embedded engine, in the place of dbt-mysql's:

    - no temporary tables, which the embedded engine lacks;
    - only rows that differ are written, so ids, created_at and updated_at mean what they say;
    - the work goes in batches, each a transaction with its watermark: a killed run goes on where it stopped;
    - each batch holds the model's lock row, so two runs take turns and the second skips what the first has done.
      (Not GET_LOCK: the embedded engine keeps such a lock when its session has died.)
    - the table is made from the model's yml: types, comments, keys;
    - a full refresh recomputes in place.

    Config: unique_key (list), keys (DDL lines), foreign_keys {name: [column, source, its column]},
    counts_changes (the table numbers its changes, for the models after it), remembered_columns (kept as
    previous_...), json_columns, unwritten_columns (filled by the database), uncompared_columns (written
    with a change, never its reason), changes_in_full_pass (false: the full pass reads what is new anyway),
    more_columns (macro that names columns beside the yml's), replaces_batches (a batch's old rows go
    first: for aggregates, whose rows may vanish), parent and parent_columns ({own: the parent's}, of one name
    each: a sweep drops the rows that no row of the parent stands behind), marks_dates (the
    macro in macros/feeds/changed_days.sql that tells what of which days has changed, to be noted in
    lm_value_changes for the statistics by day; marks_dates_of the model in whose order the marks are numbered),
    later_columns
    (what came after a row's event: own_change_id numbers the changes of anything else), holds_locks_of (models
    that no other run may write while a batch is read), hash_joins (MariaDB has them and does not use them
    by itself: for joins by expressions, such as labels), counts_read (the source whose rows of a batch are counted, for
    lm_run_log), partitioned_by (the column by whose hash the table is
    partitioned where lm_partitions says so; the first of keys is the primary one), feed (which rows are read:
    macros/feeds/feed.sql), rows_of_one_salt (hashes are the key: with another salt the table begins anew).
#}
{% materialization incremental, adapter='operabot_mysql' %}
    {% do return(run_incremental()) %}
{% endmaterialization %}


{% macro run_incremental() %}
    {% set relation = this.incorporate(type='table') %}
    {% set name = model.name %}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% do prepare_session() %}

    {% set old_relation = load_relation(this) %}
    {% if old_relation is not none and old_relation.type != 'table' %}
        {% do adapter.drop_relation(old_relation) %}
    {% endif %}
    {% do create_incremental_table(relation) %}
    {% do check_partitions(relation) %}
    {% set is_widened = follow_columns(relation) %}
    {% do follow_keys(relation) %}
    {% do sync_foreign_keys(relation) %}

    {% set call = only_call() %}
    {% if call and 'history_id' in config.get('unique_key') %}
        {% do return(write_only_call(relation, call)) %}
    {% endif %}

    {# A full pass starts when what the values are made with has changed, or when it is asked for. #}
    {% set salt = set_caller_salt() if config.get('needs_caller_salt') else '' %}
    {% set fingerprint = local_md5(
        sql | replace(as_of_text(), '') | replace("'" ~ var('calc_source') ~ "'", '') ~ seed_contents() ~ salt
    ) %}
    {% set pass = watermark(name, 'full_pass') %}
    {% set is_sweep = should_full_refresh() or var('lm_sweep') | string | lower in ('true', '1', 'yes') %}
    {% set is_of_other_salt = config.get('rows_of_one_salt') and watermark(name, 'caller_salt').fingerprint != salt %}
    {% set restarts = is_widened or is_sweep or is_of_other_salt or not pass.known or pass.fingerprint != fingerprint %}
    {% if is_of_other_salt %}
        {# Their keys are nobody's any more, so that no row would ever be written over. #}
        {% do run_query("delete from " ~ relation) %}
        {% do set_watermark(name, 'caller_salt', fingerprint=salt) %}
    {% endif %}
    {% if restarts %}
        {% do set_watermark(name, 'full_pass', 0, '', fingerprint) %}
        {% do set_watermark(
            name, 'first_load', 0 if first_value("select 1 from " ~ relation ~ " limit 1") else 1
        ) %}
        {% for followed, position in feed('positions').items() %}
            {% do set_watermark(name, followed, position) %}
        {% endfor %}
        {% do run_query("commit") %}
    {% endif %}
    {% set is_full_pass = restarts or pass.cursor_key is not none %}

    {% if is_sweep %}
        {% do delete_orphans(relation) %}
    {% endif %}

    {% set ns = namespace(rows=0, read=0, done=0, left=0) %}
    {# What is new comes first: a long full pass, spread by lm_max_batches, must not hold it up. #}
    {% if not is_full_pass or config.get('changes_in_full_pass', true) %}
        {% do write_batches(relation, feed('changes', relation), none, ns) %}
    {% endif %}
    {% if is_full_pass %}
        {% set start = (none if restarts else pass.cursor_key) or none %}
        {% do write_batches(relation, feed('full_pass', relation, start), fingerprint, ns) %}
        {% if not ns.left %}
            {% do set_watermark(name, 'full_pass', 0, none, fingerprint) %}
            {% do set_watermark(name, 'first_load') %}
        {% endif %}
    {% endif %}
    {% if ns.left and is_late() %}
        {# As an error: the models after this one would stand on half of it. #}
        {% do run_query("commit") %}
        {{ exceptions.raise_compiler_error(
            "The time limit is reached: " ~ ns.left ~ " batches are left for the next run."
        ) }}
    {% endif %}
    {% if ns.left %}
        {{ log(name ~ ": " ~ ns.left ~ " batches are left for the next run (lm_max_batches)", info=true) }}
    {% else %}
        {% do set_watermark(name, 'clock', moment=as_of_text()) %}
    {% endif %}
    {% do run_query("commit") %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {# log_run_end reads it. #}
    {% set read = ', ' ~ ns.read ~ ' calls read' if config.get('counts_read') else '' %}
    {% call noop_statement('main', 'OK ' ~ ns.done ~ ' batches' ~ read, 'OK', ns.rows) %}{{ sql }}{% endcall %}
    {% do return({'relations': [relation]}) %}
{% endmacro %}


{% macro only_call() %}
    {% do return(env_var('LM_ONLY_CALL', '') | int) %}
{% endmacro %}


{% macro write_only_call(relation, call) %}
    {% if not watermark(model.name, 'full_pass').known %}
        {{ exceptions.raise_compiler_error(model.name ~ " has never been built: run `lm run` first.") }}
    {% endif %}
    {% if config.get('needs_caller_salt') %}
        {% do set_caller_salt() %}
    {% endif %}
    {% set ns = namespace(rows=0, read=0, done=0, left=0) %}
    {% do write_batches(relation, feed('only_call', relation, call=call), none, ns) %}
    {% do run_query("commit") %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {% call noop_statement('main', 'OK ' ~ ns.done ~ ' batches', 'OK', ns.rows) %}{{ sql }}{% endcall %}
    {% do return({'relations': [relation]}) %}
{% endmacro %}


{% macro prepare_session() %}
    {% do run_query("commit") %}
    {% do run_query("set session transaction isolation level read committed") %}
    {% do run_query("set time_zone = '" ~ session_offset() ~ "'") %}
    {% if is_embedded_engine() %}
        {# Its statements end after ten seconds otherwise. #}
        {% do run_query("set ob_query_timeout = 7200000000") %}
        {% do run_query("set ob_trx_timeout = 86400000000") %}
    {% else %}
        {# Half a year of values is counted in memory: with the servers' 16 MB it goes to disk. #}
        {% do run_query("set session tmp_table_size = 134217728") %}
        {% do run_query("set session max_heap_table_size = 134217728") %}
    {% endif %}
    {% if is_mariadb() %}
        {% do run_query("set session join_cache_level = " ~ (4 if config.get('hash_joins') else 'default')) %}
    {% endif %}
    {% if config.get('foreign_keys') %}
        {# Every row would lock the source's row it refers to until its batch ends, and edits there would wait. Whom the
           source deletes is kept from going by the rows that are written; whom it deletes before that, a sweep finds. #}
        {% do run_query("set session foreign_key_checks = 0") %}
    {% else %}
        {% do run_query("set session foreign_key_checks = 1") %}
    {% endif %}
    {% do run_query("set session innodb_lock_wait_timeout = " ~ var('lm_lock_wait_sec')) %}
    {% do make_lock_row() %}
{% endmacro %}


{% macro seeds_behind() %}
    {% set seeds = [] %}
    {% set seen = [] %}
    {% set queue = model.depends_on.nodes | list %}
    {% for _ in range(1000) %}
        {% if not queue %}{% break %}{% endif %}
        {% set id = queue.pop() %}
        {% if id not in seen and id in graph.nodes %}
            {% do seen.append(id) %}
            {% set node = graph.nodes[id] %}
            {% if node.resource_type == 'seed' %}
                {% do seeds.append(node) %}
            {% elif node.config.materialized != 'incremental' or not node.config.get('counts_changes', true) %}
                {% do queue.extend(node.depends_on.nodes) %}
            {% endif %}
        {% endif %}
    {% endfor %}
    {% do return(seeds | sort(attribute='name')) %}
{% endmacro %}


{% macro seed_contents() %}
    {% set contents = [] %}
    {% for seed in seeds_behind() %}
        {% set table = target.schema ~ '.' ~ seed.alias %}
        {% set names = run_query("show columns from " ~ table).columns[0].values() %}
        {% set row = run_query(
            "select count(*), sum(crc32(concat_ws('|', coalesce("
            ~ names | join(", '~'), coalesce(") ~ ", '~')))) from " ~ table
        ).rows[0] %}
        {% if not row[0] and seed.config.meta.get('required') %}
            {{ exceptions.raise_compiler_error("The seed " ~ table ~ " is empty. Load it with `dbt seed`.") }}
        {% endif %}
        {% do contents.append(seed.name ~ ' ' ~ row[0] ~ ' ' ~ row[1]) %}
    {% endfor %}
    {% do return(contents | join(', ')) %}
{% endmacro %}


{% macro write_batches(relation, batches, fingerprint, tally) %}
    {% set limit = var('lm_max_batches') | int %}
    {% for batch in batches %}
        {# Only what keeps its place: of other batches every run would do the first ones again, and never the last. #}
        {% if is_late() or limit and tally.done >= limit and (fingerprint or batch.once) %}
            {% set tally.left = tally.left + 1 %}
        {% else %}
            {% set tally.rows = tally.rows + write_batch(relation, batch, fingerprint) %}
            {% set tally.done = tally.done + 1 %}
            {% if config.get('counts_read') %}
                {% set tally.read = tally.read + first_value(
                    "select count(*) from " ~ source('operabot', config.get('counts_read')) ~ " where " ~ batch.where
                ) %}
            {% endif %}
            {{ log(
                relation.identifier ~ ": batch " ~ loop.index ~ " of " ~ batches | length,
                info=(loop.index % 10 == 0)
            ) }}
        {% endif %}
    {% endfor %}
{% endmacro %}


{% macro is_late() %}
    {% set deadline = env_var('LM_DEADLINE', '') %}
    {% do return(deadline and modules.datetime.datetime.now().timestamp() >= deadline | float) %}
{% endmacro %}


{% macro write_batch(relation, batch, fingerprint) %}
    {% do run_query("start transaction") %}
    {% do hold_lock(model.name) %}
    {% if is_done(batch, fingerprint) %}
        {% do run_query("commit") %}
        {% do return(0) %}
    {% endif %}
    {% for name in config.get('holds_locks_of', []) %}
        {% do hold_lock(name) %}
    {% endfor %}
    {% set is_first_load = watermark(model.name, 'first_load').position == 1 %}
    {% if is_first_load and not fingerprint %}
        {# What is written out of turn, the pass meets again. #}
        {% do set_watermark(model.name, 'first_load') %}
        {% set is_first_load = false %}
    {% endif %}
    {% if config.get('replaces_batches') and not is_first_load %}
        {% do run_query(
            "delete from " ~ relation ~ " where " ~ batch.where ~ (" and " ~ batch.metrics if batch.metrics else "")
        ) %}
    {% endif %}
    {% set tally = namespace(written=0, rows=sql | replace(in_batch(), batch.where | default('1 = 1'))) %}
    {% if batch.metrics %}
        {% set tally.rows = tally.rows | replace(metrics_of_batch(), batch.metrics) %}
    {% endif %}
    {% for name, day in (batch.days or {}).items() %}
        {% set tally.rows = tally.rows | replace(day_of_batch(name), "cast('" ~ day ~ "' as date)") %}
    {% endfor %}
    {% if batch.contacts %}
        {% do list_batch_contacts(batch.contacts) %}
        {% set tally.rows = tally.rows | replace(all_contacts(), listed_contacts()) %}
    {% endif %}
    {% set started = first_value("select concat(now())") %}
    {% set number = next_change(model.name) if config.get('counts_changes', true) else none %}
    {% for part in tally.rows.split(next_part()) %}
        {% call statement('write_batch', auto_begin=false) -%}
            {{ insert_of_batch(relation, part, number, is_first_load or config.get('replaces_batches')) }}
        {%- endcall %}
        {% set tally.written = tally.written + load_result('write_batch').response.rows_affected %}
    {% endfor %}
    {% if config.get('marks_dates') and (tally.written or fingerprint or batch.feed == config.get('parent')) %}
        {% do mark_changed_dates(relation, batch, fingerprint, started) %}
    {% endif %}
    {% if batch.feed %}
        {# A run beside this one may be further. #}
        {% set reached = watermark(model.name, batch.feed).position %}
        {% do set_watermark(model.name, batch.feed, [reached, batch.position] | max) %}
    {% endif %}
    {% if fingerprint %}
        {% do set_watermark(model.name, 'full_pass', 0, batch.cursor_key | default('', true), fingerprint) %}
    {% endif %}
    {% if batch.contacts %}
        {% do forget_batch_contacts() %}
    {% endif %}
    {% do run_query("commit") %}
    {% do return(tally.written) %}
{% endmacro %}


{% macro insert_of_batch(relation, rows, number, is_new) %}
    {% set types = column_types() %}
    {% set keys = config.get('unique_key') %}
    {% set json_columns = config.get('json_columns', []) %}
    {% set later_columns = config.get('later_columns', []) %}
    {% set columns = types.keys() | reject('in', config.get('unwritten_columns', [])) | list %}
    {% set compared = columns | reject('in', keys)
        | reject('in', config.get('uncompared_columns', [])) | list %}
    {% set written_columns = columns + bookkeeping_columns().keys() | list %}

    {# MariaDB keeps JSON as it was written, and falls over when it compares two of which one is constant. #}
    {% set is_text = json_columns and is_mariadb() %}
    {% set same = [] %}
    {% set own_same = ["old_rows." ~ keys[0] ~ " is not null"] %}
    {% for column in compared %}
        {% if column in json_columns and not is_text %}
            {% set is_same =
                "json_extract(new_rows." ~ column ~ ", '$') <=> json_extract(old_rows." ~ column ~ ", '$')" %}
        {% else %}
            {% set is_same = typed('new_rows.' ~ column, types[column]) ~ " <=> old_rows." ~ column %}
        {% endif %}
        {% do same.append(is_same) %}
        {% if column not in later_columns %}
            {% do own_same.append(is_same) %}
        {% endif %}
    {% endfor %}
    {% set selected = [] %}
    {% for column in columns %}
        {% do selected.append(typed('new_rows.' ~ column, types[column])) %}
    {% endfor %}
    {% if number is not none %}
        {% do selected.append(number) %}
        {% if later_columns %}
            {% do selected.append(number if is_new else
                "case when " ~ own_same | join(' and ') ~ " then old_rows.own_change_id else " ~ number ~ " end"
            ) %}
        {% endif %}
    {% endif %}
    {% for column in config.get('remembered_columns', []) %}
        {% do selected.append('null' if is_new else "old_rows." ~ column) %}
    {% endfor %}
    {% set matched = [] %}
    {% for key in keys %}
        {% do matched.append("new_rows." ~ key ~ " = old_rows." ~ key) %}
    {% endfor %}
    {% set updated = [] %}
    {% for column in written_columns | reject('in', keys) %}
        {% do updated.append(column ~ " = values(" ~ column ~ ")") %}
    {% endfor %}
    {% set insert %}
        insert into {{ relation }} ({{ written_columns | join(', ') }})
        select
            {{ selected | join(',
            ') }}
        from (
            {{ rows }}
        ) as new_rows
        {%- if is_new %}
        where 1 = 1
        {%- else %}
        left join {{ relation }} as old_rows
            on {{ matched | join(' and ') }}
        where old_rows.{{ keys[0] }} is null
            {%- if same %} or not (
            {{ same | join('
            and ') }}
        )
            {%- endif %}
        {%- endif %}
        on duplicate key update
            {{ (updated or [keys[0] ~ " = values(" ~ keys[0] ~ ")"]) | join(',
            ') }}
    {% endset %}
    {% do return(insert) %}
{% endmacro %}


{% macro next_part() -%}
    /* next part */ union all
{%- endmacro %}


{% macro is_done(batch, fingerprint) %}
    {% if batch.once %}
        {% do return(watermark(model.name, batch.feed).position >= batch.done_from | default(batch.position)) %}
    {% endif %}
    {% if not fingerprint %}
        {% do return(false) %}
    {% endif %}
    {% set pass = watermark(model.name, 'full_pass') %}
    {% if pass.fingerprint != fingerprint %}
        {% do return(false) %}
    {% endif %}
    {% if pass.cursor_key is none %}
        {% do return(true) %}
    {% endif %}
    {% if not pass.cursor_key or not batch.cursor_key %}
        {% do return(false) %}
    {% endif %}
    {% if pass.cursor_key.isdigit() and batch.cursor_key.isdigit() and pass.cursor_key | length < 20 %}
        {% do return(pass.cursor_key | int >= batch.cursor_key | int) %}
    {% endif %}
    {% do return(pass.cursor_key >= batch.cursor_key) %}
{% endmacro %}


{% macro typed(expression, data_type) -%}
    {%- if data_type.startswith('decimal') -%}
        cast({{ expression }} as {{ data_type.split(')')[0] }}))
    {%- else -%}
        {{ expression }}
    {%- endif -%}
{%- endmacro %}


{% macro next_change(name) %}
    {% set next = watermark(name, 'sequence').position + 1 %}
    {% do set_watermark(name, 'sequence', next) %}
    {% do return(next) %}
{% endmacro %}


{% macro mark_changed_dates(relation, batch, fingerprint, started) %}
    {# One order of all marks, whoever makes them. #}
    {% set owner = config.get('marks_dates_of', model.name) %}
    {% if owner != model.name %}
        {% do hold_lock(owner) %}
    {% endif %}
    {% set number = next_change(owner) %}
    {% set calls = "(select * from " ~ ref(config.get('parent')) ~ " where " ~ batch.where ~ ") as parent" %}
    {% if fingerprint %}
        {% set changes = "select parent.call_date, parent.previous_call_date, 'call' as changed from " ~ calls %}
    {% else %}
        {% set changes = context[config.get('marks_dates')](calls, relation, batch, started) %}
    {% endif %}
    {% do run_query(
        "insert into " ~ run_table('lm_value_changes') ~ " (call_date, changed, change_id, rule_change_id)"
        ~ " select days.call_date, days.changed, " ~ number ~ ", "
        ~ ("null" if batch.feed == config.get('parent') else number) ~ " from ("
        ~ "select call_date, changed from (" ~ changes ~ ") as now_of"
        ~ " union select previous_call_date, changed from (" ~ changes ~ ") as formerly_of"
        ~ ") as days where days.call_date is not null"
        ~ " on duplicate key update change_id = values(change_id),"
        ~ " rule_change_id = coalesce(values(rule_change_id), rule_change_id)"
    ) %}
{% endmacro %}


{% macro delete_orphans(relation) %}
    {% set parent = config.get('parent') %}
    {% if parent %}
        {% set matches = [] %}
        {% for own, others in config.get('parent_columns', {'history_id': 'history_id'}).items() %}
            {% do matches.append("parent." ~ others ~ " = " ~ relation ~ "." ~ own) %}
        {% endfor %}
        {% do run_query(
            "delete from " ~ relation ~ " where not exists (select 1 from " ~ ref(parent)
            ~ " as parent where " ~ matches | join(" and ") ~ ")"
        ) %}
        {% do run_query("commit") %}
    {% endif %}
{% endmacro %}
