with

searched as (

    select
        count(*) filter (where witness_id is not null) > 0 as has_witnesses,
        count(*) filter (where prescription_ref is not null) > 0 as has_prescriptions,
        exists (select 1 from patient_flags where flag = 'deceased')
        or exists (select 1 from stays where end_reason = 'deceased') as has_deaths,
        exists (select 1 from stays) as has_stays,
        exists (select 1 from delegations) and count(role) > 0 as has_delegations,
        exists (select 1 from unit_assignments) and count(unit_id) > 0 as has_units,
        exists (select 1 from drug_stock) as has_counts
    from drug_rows

),

classes as (

    select
        1 as place, 'unsigned' as code, true as is_searchable, 'Withdrawn; not signed, wasted or returned' as class_en,
        'Uttaget; inte signerat, kasserat eller återlämnat' as class_sv,
        'Tatt ut; ikke signert, kassert eller returnert' as class_nb
    union all select 2, 'not_withdrawn', true, 'Signed, wasted or returned without a withdrawal',
        'Signerat, kasserat eller återlämnat utan uttag', 'Signert, kassert eller returnert uten uttak'
    union all select 3, 'late', true, 'Signed late', 'Sent signerat', 'Signert sent'
    union all select 4, 'wrong_patient', true, 'Signed on another patient than withdrawn for',
        'Signerat på en annan patient än uttaget gällde', 'Signert på en annen pasient enn uttaket gjaldt'
    union all select 5, 'waste_not_witnessed', has_witnesses, 'Waste without a witness', 'Kassation utan vittne',
        'Kassasjon uten vitne' from searched
    union all select 6, 'waste_by_oneself', has_witnesses, 'Waste witnessed by oneself',
        'Kassation bevittnad av en själv', 'Kassasjon bevitnet av en selv' from searched
    union all select 7, 'after_death', has_deaths, 'After the patient''s death', 'Efter patientens död',
        'Etter pasientens død' from searched
    union all select 8, 'after_discharge', has_stays, 'After the patient''s last stay',
        'Efter patientens sista vistelse', 'Etter pasientens siste opphold' from searched
    union all select 9, 'no_prescription', has_prescriptions, 'Without a prescription', 'Utan ordination',
        'Uten forordning' from searched
    union all select 10, 'no_delegation', has_delegations, 'Without a licence or delegation',
        'Utan legitimation eller delegering', 'Uten autorisasjon eller delegering' from searched
    union all select 11, 'other_unit', has_units, 'At a unit without assignment or shift',
        'Vid en enhet utan placering eller pass', 'Ved en enhet uten plassering eller vakt' from searched
    union all select 12, 'stock_count', has_counts, 'Stock counts that do not fit', 'Inventeringar som inte stämmer',
        'Tellinger som ikke stemmer' from searched
    union all select 13, 'not_assessable', true, 'Quantity, unit of quantity, drug or patient unclear',
        'Mängd, mängdenhet, läkemedel eller patient oklar', 'Mengde, mengdeenhet, legemiddel eller pasient uklar'

),

found as (

    select reason_code as code, employee_id, patient_id from drug_errors
    union all
    select 'stock_count' as code, null as employee_id, null as patient_id from drug_stock
    where not is_fitting and not is_mixed

),

counts as (

    select
        classes.place, classes.class_en, classes.class_sv, classes.class_nb, classes.is_searchable,
        count(found.code) as n_rows, count(distinct found.employee_id) as n_employees,
        count(distinct found.patient_id) as n_patients
    from classes
    left join found on classes.code = found.code
    group by classes.place, classes.class_en, classes.class_sv, classes.class_nb, classes.is_searchable

)

select * from counts order by place
