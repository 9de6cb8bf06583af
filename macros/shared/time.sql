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
        {%- set offset = utc_offset_seconds() | int -%}
        {%- set now = run_started_at.replace(tzinfo=none) + modules.datetime.timedelta(seconds=offset) -%}
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

{% macro local_from_epoch(expression) -%}
    timestampadd(second, {{ expression }} + {{ utc_offset_seconds() }}, cast('1970-01-01 00:00:00' as datetime))
{%- endmacro %}

{% macro local_epoch(expression) -%}
    timestampdiff(second, cast('1970-01-01 00:00:00' as datetime), {{ expression }})
{%- endmacro %}

{% macro week_start(expression) -%}
    date_sub({{ expression }}, interval weekday({{ expression }}) day)
{%- endmacro %}

{% macro moment(epoch) -%}
    timestampadd(second, {{ epoch }}, cast('1970-01-01 00:00:00' as datetime))
{%- endmacro %}

{% macro moment_after(expression, seconds) -%}
    timestampadd(second, {{ seconds }}, {{ expression }})
{%- endmacro %}
