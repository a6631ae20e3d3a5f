// These statements add the gradient with respect to a unit, of the points of points.wgsl: to move_w_a
// that of the readout, to move_n_c that of the hidden layer, both without their common scale.

//# for k in range(tile)
{
    let h = activation_and_slope({% for c in range(drawn) %}{% if c > 0 %} + {% endif %}n_${c} * x_${k}_${c}{% endfor %}{% if activation.uses_variance %}, variance_${k}{% endif %});
    //# for a in range(outputs)
    move_w_${a} += e_${k}_${a} * h.value;
    //# endfor
    let back = h.slope * ({% for a in range(outputs) %}{% if a > 0 %} + {% endif %}e_${k}_${a} * w_${a}{% endfor %});
    //# for c in range(drawn)
    move_n_${c} += x_${k}_${c} * back;
    //# endfor
}
//# endfor
