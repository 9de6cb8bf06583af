{# Intervals of 95 %, as expressions. `k` of `n` is a share; n may be 0 (then null). #}

{# Two-sided quantile of the normal distribution for 95 %. #}
{% macro z95() -%} 1.959963984540054e0 {%- endmacro %}


{% macro wilson_low(k, n) -%}
    {{ wilson_bound(k, n, '-') }}
{%- endmacro %}

{% macro wilson_high(k, n) -%}
    {{ wilson_bound(k, n, '+') }}
{%- endmacro %}

{% macro wilson_bound(k, n, sign) -%}
    {%- set z = z95() -%}
    least(1e0, greatest(0e0, (
        ({{ k }}) + {{ z }} * {{ z }} / 2 {{ sign }} {{ z }} * sqrt(greatest(0e0,
            ({{ k }}) * (1 - ({{ k }}) * 1e0 / nullif({{ n }}, 0)) + {{ z }} * {{ z }} / 4
        ))
    ) / (nullif({{ n }}, 0) + {{ z }} * {{ z }})))
{%- endmacro %}


{% macro newcombe(side, p1, low1, high1, p2, low2, high2) -%}
    {%- if side == 'low' -%}
    ({{ p1 }}) - ({{ p2 }}) - sqrt(pow(({{ p1 }}) - ({{ low1 }}), 2) + pow(({{ high2 }}) - ({{ p2 }}), 2))
    {%- else -%}
    ({{ p1 }}) - ({{ p2 }}) + sqrt(pow(({{ high1 }}) - ({{ p1 }}), 2) + pow(({{ p2 }}) - ({{ low2 }}), 2))
    {%- endif -%}
{%- endmacro %}


{% macro sample_variance(n, total, squares) -%}
    greatest(0e0, ({{ squares }}) - ({{ total }}) * 1e0 * ({{ total }}) / nullif({{ n }}, 0))
    / nullif(({{ n }}) - 1, 0)
{%- endmacro %}


{% macro t_quantile(df) -%}
    case
        when ({{ df }}) < 1.999999 then 12.706204736174698e0
        when ({{ df }}) < 2.999999 then 4.302652729911275e0
        else 1.959963984540054e0
            + 2.372271230298562e0 / ({{ df }})
            + 2.822498615739611e0 / pow({{ df }}, 2)
            + 2.555849679507722e0 / pow({{ df }}, 3)
            + 1.589534053393823e0 / pow({{ df }}, 4)
    end
{%- endmacro %}


{% macro mean_margin(n, variance) -%}
    {{ t_quantile('(' ~ n ~ ') - 1e0') }} * sqrt(({{ variance }}) / nullif({{ n }}, 0))
{%- endmacro %}


{% macro welch_margin(n1, variance1, n2, variance2) -%}
    {%- set v1 = '(' ~ variance1 ~ ') / nullif(' ~ n1 ~ ', 0)' -%}
    {%- set v2 = '(' ~ variance2 ~ ') / nullif(' ~ n2 ~ ', 0)' -%}
    {%- set df = 'pow(' ~ v1 ~ ' + ' ~ v2 ~ ', 2) / nullif(pow(' ~ v1 ~ ', 2) / nullif(' ~ n1
        ~ ' - 1, 0) + pow(' ~ v2 ~ ', 2) / nullif(' ~ n2 ~ ' - 1, 0), 0)' -%}
    {{ t_quantile(df) }} * sqrt({{ v1 }} + {{ v2 }})
{%- endmacro %}
