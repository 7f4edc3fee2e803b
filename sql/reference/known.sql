-- The staged records that say nothing new: a row of the same key and beginning holds already and says the same. A record
-- of a complete delivery that states no beginning is the row that holds on the day of delivery. The names in braces are
-- those that sql/model/tables.yml gives.
select distinct staged.record_number
from placed_reference as staged
inner join holding_reference as holding on {is_same_key} and {is_same_content} and {is_same_period}
