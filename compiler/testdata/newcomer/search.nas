import { relu } from "std/vision"
import plugin "nasc/evolution" as evo

space tiny(image: [3, 32, 32]) = image -> relu

search it over tinny {
    optimizer = evo(population: 20)
    evaluatr  = train
    budget    = 100 evaluations
    maximise accuracy
}
