import { global_pool } from "std/vision"
import plugin "nasc/evolution" as evolution
space s(image: [8, 8, 8]) = image -> global_pool
search a over s {
    optimiser = evolution //! E0550 "a search has no setting `optimiser`; help: did you mean `optimizer`"
}
---
import { global_pool } from "std/vision"
import plugin "nasc/evolution" as evolution
space s(image: [8, 8, 8]) = image -> global_pool
search a over s {
    optimizer = evolutoin(population: 3) //! E0552 "`evolutoin` is not an imported plugin; help: did you mean `evolution`"
    budget = evaluation(3) //! E0553 "not a budget; help: did you mean `evaluations`"
    seed = 1.5 //! E0550 "a seed is a whole number"
    minimize 3 //! E0550 "`minimize` needs the name of a metric"
}
search b over s {
    budget = 0 //! E0553 "positive"
    optimizer = evolution(population: 3 | 4, slot: evolution.none | evolution.some(x: 1))
    require latency <= 25ms and params < 2M or not (accuracy(on: "a b") < 3)
    seed = 0..3
}
---
import { global_pool } from "std/vision"
import plugin "nasc/evolution" as evolution
space s(image: [8, 8, 8]) = image -> global_pool
search d over evolution { //! E0551 "`evolution` is not a space"
}
---
search c over t { //! E0201 "`t` is not declared"
}
---
import { global_pool, relu, skip, conv_bn } from "std/vision"
import plugin "nasc/evolution" as evolution
let p = 2 of [3, 4] //! E0550 "a search sweeps one value at a time; `of` has no meaning here; help: write the values with `\\|`"
space s(image: [8, 8, 8]) = image -> global_pool
space t(image: [8, 8, 8], c = 8) = image -> conv_bn(out: c) -> (relu | skip) -> global_pool
search a over s {
    seed = p
}
search b over s { //! E0554 "the sweep has 30000 points, more than 10000; note: `seed` takes 10000 values .*; note: `budget` takes 3 values"
    seed = 0..9_999
    budget = 10 | 20 | 30
}
search c over s {
    budget = 3..2 //! E0404 "holds no value"
}
search d over s {
    evaluator = evolution | evolutoin //! E0552 "not an imported plugin; help: did you mean"
    seed = 1 | 0.5 //! E0550 "a seed is a whole number"
    maximize 3 | accuracy //! E0550 "`maximize` needs the name of a metric"
    require latency + 1 //! E0555 "a requirement is a condition, such as `latency <= 25ms`; this is a number"
    require latency < true //! E0555 "a number is needed here, not a truth value"
    require 3 < 4 //! E0555 "this requirement names no metric"
    require [latency] == 3 //! E0555 "this has no meaning in a requirement"
    require min(latency, x: 3) == 3 //! E0555 "a function takes its numbers by position"
}
search e over t {
    retrain = s
}
search f over s {
    retrain = t(c: 3) //! E0557 "t cannot hold what is found in s: s decides no choice"
}
search g over s {
    retrain = tt //! E0201 "`tt` is not declared"
}
---
import { global_pool } from "std/vision"
import plugin "nasc/evolution" as evolution
let loop = loop //! E0211 "`loop` needs its own value"
let rate = 2 * loop
space s(image: [8, 8, 8]) = image -> global_pool
search a over s {
    optimizer = evolution(population: 3 | x, b: [2]) //! E0201 "`x` is not declared" E0552 "a parameter is one number, text, truth value or component"
    seed = 8 | 9 if 1 > 2
    budget = gpu(24h) | 10m
}
search c over s {
    seed = rate
    optimizer = loop
}
search d over s {
    seed = 8 if 1 > 2 //! E0403 "nothing is left to sweep"
}
---
import { global_pool, relu, skip } from "std/vision"
import plugin "nasc/evolution" as evo
import plugin "nasc/oneshot" as one
let b = 20ms | 1 / 4
let shot = one.shot(relax: one.softmax | one.gumbel(tau: -1 | 10), lr: b)
space s(image: [8, 8, 8], n = 2) = image -> (relu | skip) * n -> global_pool
search a over s(n: 1 | 3) {
    optimizer = shot | evo(population: if b > 1 then 3 else 4..8 by 2)
    budget = evaluations(10 | 20)
    retrain = s(n: 3) //! E0557 "s decides no choice\\[0\\]"
    seed = (0..1) | 7 if 1 < 2
    maximize accuracy | -loss //! E0550 "`maximize` needs the name of a metric"
    require not (latency(device: "p 1") + -1 > b) and max(params, 2K) <= (if x == 1 then 2 ^ 3 else y % 2) or z != 1e-3
}
---
import { global_pool } from "std/vision"
import { gdas, darts } from "std/oneshot"
import plugin "nasc/table" as table
let mine = gdas
space s(image: [8, 8, 8]) = image -> global_pool
search a over s {
    optimizer = gdas | darts | mine
    report = table(data: "t.nasb")
}
search b over s {
    optimizer = gdsa //! E0552 "`gdsa` is not an imported plugin; help: did you mean `gdas`\\?"
    report = tabel //! E0552 "`tabel` is not an imported plugin; help: did you mean `table`\\?"
}
search c over s {
    optimizer = darts2 //! E0552 "help: did you mean `darts`"
    reprot = table //! E0550 "a search has no setting `reprot`; help: did you mean `report`"
}
search d over s {
    optimizer = mien //! E0552 "help: did you mean `mine`"
    report = table
    report = table //! E0203 "`report` is set twice"
}
---
import { global_pool } from "std/vision"
space s(image: [8, 8, 8]) = image -> global_pool
search a over s {
    optimizer = gdas //! E0552 "help: write `import { gdas } from \"std/oneshot\"` at the top of the file"
}
search b over s {
    optimizer = dartz //! E0552 "help: did you mean `darts` of \"std/oneshot\""
}
search c over s {
    optimizer = regularized //! E0552 "help: write `import plugin \"nasc/regularized\"`"
}
