// These statements add to sum_k_a what a unit yields at the points of points.wgsl.

//# for k in range(tile)
{
    let h = activation({% for c in range(drawn) %}{% if c > 0 %} + {% endif %}n_${c} * x_${k}_${c}{% endfor %}{% if activation.uses_variance %}, variance_${k}{% endif %});
    //# for a in range(outputs)
    sum_${k}_${a} += w_${a} * h;
    //# endfor
}
//# endfor
