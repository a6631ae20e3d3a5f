// These statements add to `ratio` what four hidden units with the variates w_c contribute to their
// networks' inverse weight. They loop at run time, because shifts may be many, and each takes the
// same few operations.

var k = 1u;
loop {
    let at = ${at.shift}u + k * ${at.shift_stride}u;
    ratio += any_power_of_two(1.442695 * (vec4f(parameter(at + ${components}u))
        {%- for c in range(components) %} + w_${c} * parameter(at + ${c}u){% endfor %}));
    k += 1u;
    if k > ${shifts}u {
        break;
    }
}
