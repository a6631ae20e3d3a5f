// These statements go on to the next layer.

//# if keeps_hidden
let below = first_unit;
first_unit += count(record);
//# endif
record += ${at.stride}u;
//# if has_covariance
let covariance = parameter(record + ${at.scale}u);
factorise(covariance * covariance, parameter(record + ${at.bias_squared}u));
//# endif
