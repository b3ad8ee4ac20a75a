import { nasbench201 } from "../nasbench201/nasbench201.nas"
import plugin "nasc/evolution" as evolution
import plugin "nasc/local" as local
import plugin "nasc/random" as random
import plugin "nasc/table" as table

let regularized_evolution = evolution(population: 10, sample: 3, mutation: "by_node")
let local_search = local(initial: 10, restart: 10)

/// The published comparison on NAS-Bench-201: each method evaluates 100 architectures by
/// their CIFAR-10 validation accuracy after 12 epochs, and the test accuracy of the best
/// after 200 epochs counts. `nasc reproduce nasbench201` runs this file.
search reproduce over nasbench201 {
    optimizer = random | regularized_evolution | local_search
    evaluator = table(data: "nasbench201.nasb", dataset: "cifar10", epochs: 12)
    budget    = evaluations(100)
    seed      = 0..499
    maximize accuracy
}
