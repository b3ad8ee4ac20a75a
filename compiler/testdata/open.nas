---
import { project, merge } from "std/nasbench101"
space s(image: [3, 8, 8]) {
    p = project(image)
    require p.c < 4 //! E0323 "a requirement cannot depend"
    return merge(p, out: 8)
}
