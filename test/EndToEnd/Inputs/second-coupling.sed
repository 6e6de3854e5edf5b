# Gives the population of @K, in the phase quantized, a second coupling of the same weights and sources, @K_again. Its precision
# is for the test to say: it stands behind the first one in `precisions`.
s/^\( *un0.param @K\)\( : .*\)$/\1\2\n\1_again\2/
s/^\( *\)%0 = un0.get_param @K : \(.*\)$/&\n\1%again = un0.get_param @K_again : \2/
s/couple %0(\(%sine_[0-9]*, %cosine_[0-9]*\)), /couple %0(\1), %again(\1), /
s/groups = array<i64: 4/&, 0/
s/drains = array<i64: \([0-9]*\)/&, \1/
s/%again(.*: [^[]*\(\[tensor<[0-9x]*xf32>, tensor<?x[0-9]*xf32>\], \)/&\1/
