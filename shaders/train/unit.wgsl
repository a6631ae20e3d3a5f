// These statements read a unit of a quad of networks: n_c of the hidden layer, and w_a of the readout.

//# for c in range(drawn)
var n_${c} = theta[place(${c}u, unit, quad)];
//# endfor
//# for a in range(outputs)
var w_${a} = theta[place(${drawn + a}u, unit, quad)];
//# endfor
