-- The rows that hold and that a complete delivery no longer has. The names in braces are those that sql/model/tables.yml
-- gives; $day is the day of delivery.
select {columns}
from holding_reference as holding
where
    {is_covered} and not exists (
        select 1 from placed_reference as staged where {is_same_key} and {is_same_beginning}
    )
