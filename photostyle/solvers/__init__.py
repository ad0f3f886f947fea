"""Systems and problems that several rooms solve: conjugate gradients, screened Poisson equations, optimal transport."""
