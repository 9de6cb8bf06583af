{%- set scores = source('operabot', 'call_scores') %}
{%- set available = source_column_names(scores) %}
{%- set fields = [
    ['outcome', 'call_outcomes', 'label'],
    ['call_category', 'call_categories', 'label'],
    ['context_type', 'call_directions', 'label'],
    ['call_type', 'call_types', 'label'],
    ['refusal_category_code', 'refusal_reasons', 'refusal_reason'],
    ['refusal_reason', 'refusal_reasons', 'refusal_reason'],
] %}
-- Which labels do reviewers write that no seed maps? They count as 'other' until a line in the
-- seed names their class. Start with the most frequent; a slip of the pen is worth a line, too.
-- Labels are shown as they are compared: lower case, single spaces. All reviews are read,
-- superseded ones too. Reasons of refusals are free text and may name people: for those who may
-- read call_scores.
{%- for column, seed, key in fields %}
select
    '{{ column }}' as field,
    '{{ seed }}' as seed,
    reviews.label,
    sum(reviews.reviews) as reviews,
    max(reviews.last_seen) as last_seen
from (
    select
        {{ label_text(optional_column(available, column)) }} as label,
        count(*) as reviews,
        max(score_date) as last_seen
    from {{ scores }}
    group by {{ optional_column(available, column) }}
) as reviews
left join {{ ref(seed) }} as seed
    on reviews.label = seed.{{ key }}
where reviews.label is not null and seed.{{ key }} is null
group by reviews.label
{{ 'union all' if not loop.last else 'order by reviews desc, label asc' }}
{%- endfor %}
