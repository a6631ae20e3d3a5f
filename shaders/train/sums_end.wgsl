// These statements write the sums of add.wgsl.

//# for k in range(tile)
if begin + ${k}u < work.points {
    let to = (chunk * work.points + begin + ${k}u) * ${outputs}u;
    //# for a in range(outputs)
    sums[(to + ${a}u) * quads + quad] = sum_${k}_${a};
    //# endfor
}
//# endfor
