{% macro as_of() -%}
    cast('{{ as_of_text() }}' as datetime)
{%- endmacro %}

{% macro as_of_text() -%}
    {%- if var('as_of') -%}
        {%- set text = var('as_of') | string | replace('T', ' ') -%}
        {%- if not modules.re.match('^\\d{4}-\\d\\d-\\d\\d( \\d\\d:\\d\\d:\\d\\d)?$', text) -%}
            {{ exceptions.raise_compiler_error("The var as_of is '" ~ text ~ "': write it as '2026-03-31 23:59:59'.") }}
        {%- endif -%}
        {{- text if text | length > 10 else text ~ ' 00:00:00' -}}
    {%- else -%}
        {%- set now = run_started_at.replace(tzinfo=none) + modules.datetime.timedelta(seconds=offset_now()) -%}
        {{- now.strftime('%Y-%m-%d %H:%M:%S') -}}
    {%- endif -%}
{%- endmacro %}

{% macro utc_offset_seconds() -%}
    {%- set parts = modules.re.match('^([+-])(\\d{1,2}):(\\d{2})$', var('utc_offset') | string) -%}
    {%- if not parts -%}
        {{ exceptions.raise_compiler_error(
            "The var utc_offset is '" ~ var('utc_offset') ~ "': write it as '+03:00'."
        ) }}
    {%- endif -%}
    {%- set seconds = parts.group(2) | int * 3600 + parts.group(3) | int * 60 -%}
    {{- -seconds if parts.group(1) == '-' else seconds -}}
{%- endmacro %}

{% macro require_timezone() %}
    {% if var('timezone') not in modules.pytz.all_timezones_set %}
        {{ exceptions.raise_compiler_error(
            "The var timezone is '" ~ var('timezone') ~ "': write it as 'Europe/Berlin'."
        ) }}
    {% endif %}
{% endmacro %}

{# A place with daylight saving has several offsets: a branch for each change of its clocks, so that neither a join nor
   the server's own table of zones is needed. The years are fixed, for the text of a model must not change with time. #}
{% macro clock_changes() %}
    {% if not var('timezone') %}{% do return([]) %}{% endif %}
    {% do require_timezone() %}
    {% if not execute %}{% do return([{'offset': 0}]) %}{% endif %}
    {% set zone = modules.pytz.timezone(var('timezone')) %}
    {% set at = modules.datetime.datetime.fromtimestamp %}
    {% set step = 10 * 86400 %}
    {% set ns = namespace(before=at(946684800, zone).utcoffset()) %}
    {% set changes = [{'offset': ns.before.total_seconds() | int}] %}
    {% for sample in range(946684800, 2145916800, step) if at(sample, zone).utcoffset() != ns.before %}
        {% set after = at(sample, zone).utcoffset() %}
        {% set change = namespace(low=sample - step, high=sample) %}
        {% for _ in range(14) %}
            {% set middle = (change.low + change.high) // 120 * 60 %}
            {% if at(middle, zone).utcoffset() == after %}
                {% set change.high = middle %}
            {% else %}
                {% set change.low = middle %}
            {% endif %}
        {% endfor %}
        {% do changes.append({
            'epoch': change.high,
            'offset': after.total_seconds() | int,
            'before': ns.before.total_seconds() | int,
        }) %}
        {% set ns.before = after %}
    {% endfor %}
    {% do return(changes) %}
{% endmacro %}

{% macro hours_changed() %}
    {% set hours = [] %}
    {% for change in clock_changes()[1:] %}
        {% set low = change.epoch + [change.before, change.offset] | min %}
        {% set count = (change.offset - change.before) | abs // 3600 %}
        {% for place in range(count) %}
            {% set hour = modules.datetime.datetime.fromtimestamp(low + 3600 * place, modules.pytz.utc) %}
            {% do hours.append({
                'day': hour.strftime('%Y-%m-%d'),
                'hour': hour.hour,
                'times': -1 if change.offset > change.before else 1,
            }) %}
        {% endfor %}
    {% endfor %}
    {% do return(hours) %}
{% endmacro %}

{% macro offset_now() %}
    {% if not var('timezone') %}{% do return(utc_offset_seconds() | int) %}{% endif %}
    {% do require_timezone() %}
    {% set now = run_started_at.astimezone(modules.pytz.timezone(var('timezone'))) %}
    {% do return(now.utcoffset().total_seconds() | int) %}
{% endmacro %}

{% macro session_offset() %}
    {% set seconds = offset_now() %}
    {% set minutes = (seconds | abs) // 60 %}
    {% do return(('-' if seconds < 0 else '+') ~ '%02d:%02d' % (minutes // 60, minutes % 60)) %}
{% endmacro %}

{% macro utc_offset_of(expression, is_local=false) -%}
    {%- set changes = clock_changes() -%}
    {%- if changes | length > 1 -%}
    case
        {%- for change in changes[1:] | reverse %}
        {#- By the wall clock the new offset holds from when both would: the first pass of an hour that comes twice, and a
            time that was left out, have the old one. #}
        {%- set from = local_literal(change.epoch + [change.offset, change.before] | max)
            if is_local else change.epoch %}
        when {{ expression }} >= {{ from }} then {{ change.offset }}
        {%- endfor %}
        else {{ changes[0].offset }}
    end
    {%- elif changes -%}
        {{ changes[0].offset }}
    {%- else -%}
        {{ utc_offset_seconds() }}
    {%- endif -%}
{%- endmacro %}

{% macro local_literal(seconds) %}
    {% set moment = modules.datetime.datetime.fromtimestamp(seconds, modules.pytz.utc) %}
    {% do return("cast('" ~ moment.strftime('%Y-%m-%d %H:%M:%S') ~ "' as datetime)") %}
{% endmacro %}

{% macro local_from_epoch(expression) -%}
    timestampadd(
        second, {{ expression }} + {{ utc_offset_of(expression) }}, cast('1970-01-01 00:00:00' as datetime)
    )
{%- endmacro %}

{% macro local_epoch(expression) -%}
    timestampdiff(second, cast('1970-01-01 00:00:00' as datetime), {{ expression }})
{%- endmacro %}

{# In a zone with daylight saving the wall clock orders calls wrongly once a year and measures wrongly twice. #}
{% macro contact_epoch(expression, second_pass_sec) -%}
    {%- if var('timezone') -%}
        {{ local_epoch(expression) }} - {{ utc_offset_of(expression, is_local=true) }} + {{ second_pass_sec }}
    {%- else -%}
        {{ local_epoch(expression) }}
    {%- endif -%}
{%- endmacro %}

{% macro week_start(expression) -%}
    date_sub({{ expression }}, interval weekday({{ expression }}) day)
{%- endmacro %}

{% macro moment(epoch) -%}
    {%- if var('timezone') -%}
        {{ local_from_epoch(epoch) }}
    {%- else -%}
        timestampadd(second, {{ epoch }}, cast('1970-01-01 00:00:00' as datetime))
    {%- endif -%}
{%- endmacro %}

{% macro moment_after(expression, seconds) -%}
    timestampadd(second, {{ seconds }}, {{ expression }})
{%- endmacro %}
