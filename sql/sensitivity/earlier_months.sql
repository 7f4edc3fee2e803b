select distinct month
from lake.unexplained_days
where month < cast($start_at + interval '12' hour as date)
order by month desc
limit 5
