"""What a photograph says about its own edges: the matting Laplacian, local affine maps, mattes."""
