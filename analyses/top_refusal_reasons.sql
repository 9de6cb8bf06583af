-- Why do callers who wanted to book not book? The three reasons behind most lost calls of the last
-- 30 days. Read: "PRICE stands for lost_share of the losses, between low and high with 95 %
-- confidence". A reason is growing for sure only where change_low is above 0. 'missing' means that
-- nobody wrote the reason down: when it leads, ask for reasons first. avoidable_weight (0..1) is
-- how much of such a loss the clinic could have prevented.
select
    name_ru,
    name_en,
    lost_calls,
    round(lost_share, 3) as lost_share,
    round(lost_share_low, 3) as low,
    round(lost_share_high, 3) as high,
    round(loss_rub) as loss_rub,
    round(previous_share, 3) as previous_share,
    round(change_low, 3) as change_low,
    round(change_high, 3) as change_high,
    avoidable_weight

from {{ ref('vw_lm_refusal_reasons') }}

where period_days = 30

order by lost_calls desc, loss_rub desc

limit 3
