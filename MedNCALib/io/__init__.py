"""Files in and out: images, DICOM series, segmentations, pairs of images and labels."""
