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
    budget = evaluation(3) //! E0553 "not a budget"
    seed = 1.5 //! E0550 "a seed is a whole number"
    minimize 3 //! E0550 "`minimize` needs the name of a metric"
}
search b over s {
    budget = 0 //! E0553 "positive"
    optimizer = evolution(population: 3 | 4) //! E0490 "sweeping"
    require latency <= 25ms //! E0490 "`require` in a search"
    seed = 0..3 //! E0490 "sweeping"
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
