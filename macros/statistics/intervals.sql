{# Intervals of 95 %, as expressions. `k` of `n` is a share; n may be 0 (then null). #}

{# Two-sided quantile of the normal distribution for 95 %. #}
{% macro z95() -%} 1.959963984540054e0 {%- endmacro %}


{# Wilson, Probable inference, the law of succession, and statistical inference, JASA 1927. #}
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


{# Difference of two shares, first minus second: Newcombe, Interval estimation for the difference between
   independent proportions, Statistics in Medicine 1998, method 10. `side` is low or high. The arguments are
   columns: share, wilson_low and wilson_high of each. #}
{% macro newcombe(side, p1, low1, high1, p2, low2, high2) -%}
    {%- if side == 'low' -%}
    ({{ p1 }}) - ({{ p2 }}) - sqrt(pow(({{ p1 }}) - ({{ low1 }}), 2) + pow(({{ high2 }}) - ({{ p2 }}), 2))
    {%- else -%}
    ({{ p1 }}) - ({{ p2 }}) + sqrt(pow(({{ high1 }}) - ({{ p1 }}), 2) + pow(({{ p2 }}) - ({{ low2 }}), 2))
    {%- endif -%}
{%- endmacro %}


{# Variance of a sample from its sums; null under two values. Rounding never makes it negative. #}
{% macro sample_variance(n, total, squares) -%}
    greatest(0e0, ({{ squares }}) - ({{ total }}) * 1e0 * ({{ total }}) / nullif({{ n }}, 0))
    / nullif(({{ n }}) - 1, 0)
{%- endmacro %}


{# Two-sided 95 % quantile of Student's t with `df` degrees of freedom: below 3 that of the whole degree before,
   rather too wide than too narrow (exact for 1 and 2, to which Welch's degrees come with a rounding error), else
   the expansion 26.7.5 of Abramowitz and Stegun, Handbook of Mathematical Functions (0.004 low at 3, 0.0001 at 6). #}
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


{# Half the width of a mean's interval: t s / sqrt(n). Null under two values. #}
{% macro mean_margin(n, variance) -%}
    {{ t_quantile('(' ~ n ~ ') - 1e0') }} * sqrt(({{ variance }}) / nullif({{ n }}, 0))
{%- endmacro %}


{# Half the width of the interval of a difference of two means: Welch, The generalization of Student's problem,
   Biometrika 1947, degrees of freedom by Satterthwaite. #}
{% macro welch_margin(n1, variance1, n2, variance2) -%}
    {%- set v1 = '(' ~ variance1 ~ ') / nullif(' ~ n1 ~ ', 0)' -%}
    {%- set v2 = '(' ~ variance2 ~ ') / nullif(' ~ n2 ~ ', 0)' -%}
    {%- set df = 'pow(' ~ v1 ~ ' + ' ~ v2 ~ ', 2) / nullif(pow(' ~ v1 ~ ', 2) / nullif(' ~ n1
        ~ ' - 1, 0) + pow(' ~ v2 ~ ', 2) / nullif(' ~ n2 ~ ' - 1, 0), 0)' -%}
    {{ t_quantile(df) }} * sqrt({{ v1 }} + {{ v2 }})
{%- endmacro %}
