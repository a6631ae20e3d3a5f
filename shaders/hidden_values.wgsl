// These statements leave h_p, the activation of four hidden units, for each of `count` points, from
// the units' variates w_c.

//# if has_bias
let b = w_${d_in} * bias;
//# endif
//# for p in range(1 if is_progression else count)
let h_${p} = activation({% if has_bias %}b{% endif %}{% if has_offset %} - offset_${p}{% endif %}
    {%- for c in range(d_in) %}{% if has_bias or has_offset or c > 0 %} + {% endif %}w_${c} * x_${p}_${c}{% endfor %}{% if activation.uses_variance %}, variance_${p}{% endif %});
//# endfor
//# if is_progression
let along = exact_power_of_two({% for c in range(d_in) %}{% if c > 0 %} + {% endif %}w_${c} * step_${c}{% endfor %});
//# for p in range(1, count)
let h_${p} = h_${p - 1} * (along * factor_${p});
//# endfor
//# endif
