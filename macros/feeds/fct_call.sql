{#
    A call is placed among the caller's other calls, so a batch is a list of contacts (lm_batch_contacts), found once
    and joined. A change does not reach a caller's whole history: what came before the last event of the same kind
    is followed by that event, whatever happens later. So a contact has a second from which its calls are
    written, and one from which they are read.
#}

{% macro feed_fct_call(part, relation, start, call) %}
    {% set calls = ref('int_calls') %}
    {% if part == 'positions' %}
        {% do return({'int_calls': newest_change(calls)}) %}
    {% elif part == 'only_call' %}
        {% do return([{'contacts': contacts_of_changes(
            relation,
            "calls.history_id = " ~ call ~ " or calls.change_id > " ~ watermark('fct_call', 'int_calls').position,
            "max(events.history_id = " ~ call ~ ") = 1"
        )}]) %}
    {% endif %}
    {% set batches = [] %}
    {% if part == 'full_pass' %}
        {# By caller, so that each batch holds all calls of its callers. #}
        {% do batches.extend(key_batches(calls, 'contact_key', start)) %}
        {% for batch in batches %}
            {% do batch.update({'contacts':
                "select distinct contact_key, " ~ long_ago() ~ " as read_from, " ~ long_ago() ~ " as write_from from "
                ~ calls ~ " where " ~ batch.where
            }) %}
        {% endfor %}
        {% do return(batches) %}
    {% endif %}
    {% for run in unseen_changes(calls) %}
        {% do batches.append({
            'contacts': contacts_of_changes(
                relation, "calls.change_id >= " ~ run.low, "min(events.change_id) <= " ~ run.high
            ),
            'feed': 'int_calls',
            'position': run.high,
            'once': true,
        }) %}
    {% endfor %}
    {% do return(batches) %}
{% endmacro %}


{% macro contacts_of_changes(relation, is_changed, is_in_batch) %}
    {% set day = 86400 %}
    {% set calls = ref('int_calls') %}
    {% set first_seconds = [] %}
    {% for kind, condition in contact_events().items() %}
        {# A redial within two minutes is no new contact: that far an incoming call reaches back. #}
        {% do first_seconds.append(
            "case when changes.is_" ~ kind ~ " = 1 then coalesce((select earlier.start_epoch - "
            ~ (redial_seconds() if kind == 'incoming' else 0) ~ " from " ~ calls ~ " as earlier"
            ~ " where earlier.contact_key = changes.contact_key and earlier.start_epoch < changes.first_epoch and "
            ~ condition.format('earlier') ~ " order by earlier.start_epoch desc limit 1), " ~ long_ago()
            ~ ") else changes.first_epoch end"
        ) %}
    {% endfor %}
    {% set sql %}
        select
            written.contact_key,
            least(
                written.write_from - {{ 30 * day }},
                coalesce((
                    select max(earlier.start_epoch)
                    from {{ calls }} as earlier
                    where earlier.contact_key = written.contact_key
                        and earlier.start_epoch < written.write_from
                ), written.write_from)
            ) as read_from,
            written.write_from
        from (
            select
                changes.contact_key,
                least(
                    changes.first_epoch - {{ 14 * day }},
                    -- Which service a caller asked for before decides what another one is.
                    case when changes.is_service = 1 then {{ long_ago() }} else changes.first_epoch end,
                    {{ first_seconds | join(',
                    ') }}
                ) as write_from
            from (
                select
                    events.contact_key,
                    {%- for kind in contact_events() %}
                    max(events.is_{{ kind }}) as is_{{ kind }},
                    {%- endfor %}
                    max(events.is_service) as is_service,
                    coalesce(min(events.start_epoch), {{ -long_ago() }}) as first_epoch
                from (
                    {{ changed_events(calls ~ ' as calls', 'calls', is_changed) }}
                    union all
                    {{ changed_events(
                        calls ~ ' as calls inner join ' ~ relation ~ ' as known on calls.history_id = known.history_id',
                        'known', is_changed
                    ) }}
                ) as events
                group by events.contact_key
                having {{ is_in_batch }}
            ) as changes
        ) as written
    {% endset %}
    {% do return(sql) %}
{% endmacro %}


{% macro changed_events(tables, alias, is_changed) %}
    select
        {{ alias }}.contact_key,
        calls.history_id,
        calls.change_id,
        {{ alias }}.start_epoch,
        {%- for kind, condition in contact_events().items() %}
        case
            when {{ alias }}.caller_key is not null and {{ alias }}.start_epoch is not null
                and {{ condition.format(alias) }} then 1
            else 0
        end as is_{{ kind }},
        {%- endfor %}
        case when {{ alias }}.service_group <> 'unknown' then 1 else 0 end as is_service
    from {{ tables }}
    where {{ is_changed }}
{% endmacro %}


{% macro contact_events() %}
    {% do return({
        'call': "1 = 1",
        'incoming': "{0}.direction = 'in'",
        'need': "({0}.direction = 'in' and {0}.is_short_abandon = 0)",
        'incoming_answered': "({0}.direction = 'in' and {0}.is_answered = 1)",
        'outgoing_answered': "({0}.direction = 'out' and {0}.is_answered = 1)",
        'booking': "{0}.is_booked = 1",
        'complaint': "{0}.call_category = 'complaint'",
    }) %}
{% endmacro %}


{% macro is_cancellation(alias) -%}
    ({{ alias }}.outcome = 'cancelled_by_patient' or {{ alias }}.call_category = 'cancel')
{%- endmacro %}


{% macro redial_seconds() %}
    {% do return(120) %}
{% endmacro %}


{% macro long_ago() %}
    {% do return(-1000000000000) %}
{% endmacro %}


{% macro all_contacts() -%}
    (
        select distinct contact_key, {{ long_ago() }} as read_from, {{ long_ago() }} as write_from
        from {{ ref('int_calls') }}
    )
{%- endmacro %}


{% macro listed_contacts() -%}
    (
        select contact_key, read_from, write_from from {{ run_table('lm_batch_contacts') }}
        where model_name = '{{ model.name }}'
    )
{%- endmacro %}


{% macro list_batch_contacts(contacts) %}
    {% do forget_batch_contacts() %}
    {% do run_query(
        "insert into " ~ run_table('lm_batch_contacts') ~ " (model_name, contact_key, read_from, write_from)"
        ~ " select '" ~ model.name ~ "', found.contact_key, found.read_from, found.write_from"
        ~ " from (" ~ contacts ~ ") as found"
    ) %}
{% endmacro %}


{% macro forget_batch_contacts() %}
    {% do run_query(
        "delete from " ~ run_table('lm_batch_contacts') ~ " where model_name = '" ~ model.name ~ "'"
    ) %}
{% endmacro %}
