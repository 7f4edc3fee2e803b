select distinct employee_id, local_date
from period_accesses
where employee_id in (select employee_id from drawn_snoopers)
order by employee_id, local_date
