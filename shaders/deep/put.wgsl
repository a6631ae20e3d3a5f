// This statement writes a field of a network from `field` and `value`.

//# if is_looped
fields[m * ${field_stride}u + field] = value * parameter(${at.fields}u + field);
//# else
fields[4u * ((member * ${row_quads}u + field / 4u) * batch.blocks + block) + field % 4u] = value * parameter(${at.fields}u + field);
//# endif
