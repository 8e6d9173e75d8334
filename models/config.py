"""Settings of recognition."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from streams.config import Section


class DetectorConfig(Section):
    """Finding people in frames."""

    weights: Annotated[
        str,
        Field(
            description="Name in the weights manifest (models/weights.yaml), or path of an "
            "ultralytics YOLO file. A file that the manifest does not know needs its checksum: "
            "path/to/own.pt#sha256=<64 digits>."
        ),
    ] = "yolov8n"
    min_score: Annotated[
        float, Field(ge=0.01, le=1, description="Lowest confidence of a detection, 0-1.")
    ] = 0.1
    image_size_px: Annotated[
        int, Field(ge=160, le=2048, multiple_of=32, description="Longer side of the input, pixels.")
    ] = 640
    batch: Annotated[
        int,
        Field(
            ge=1,
            le=256,
            description="Frames per GPU forward pass; halved when memory is short.",
        ),
    ] = 16
    threads: Annotated[
        int, Field(ge=1, le=64, description="CPU threads of one forward pass, without a GPU.")
    ] = 1
    device: Annotated[
        Literal["auto", "cpu", "cuda"], Field(description="auto takes a GPU where there is one.")
    ] = "auto"


class EmbedderConfig(Section):
    """Turning crops of people into vectors that compare across modalities."""

    weights: Annotated[
        str, Field(description="Name in the weights manifest, or path of a .safetensors file.")
    ] = "edge"
    batch: Annotated[
        int,
        Field(
            ge=1,
            le=1024,
            description="Crops per GPU forward pass; halved when memory is short.",
        ),
    ] = 32
    threads: Annotated[
        int, Field(ge=1, le=64, description="CPU threads of one forward pass, without a GPU.")
    ] = 1
    device: Annotated[
        Literal["auto", "cpu", "cuda"], Field(description="auto takes a GPU where there is one.")
    ] = "auto"
    calibration: Annotated[
        str,
        Field(
            description="File of `noctule calibrate`, made for these weights; empty takes the one "
            "that lies beside them."
        ),
    ] = ""
    runtime: Annotated[
        Literal["auto", "torch", "openvino", "onnx", "tensorrt"],
        Field(
            description="Library that runs the network. auto measures the installed ones once per "
            "machine and takes the fastest that answers as torch does; torch also stands in where "
            "the one named here cannot be used."
        ),
    ] = "auto"
    precision: Annotated[
        Literal["auto", "float32"],
        Field(
            description="auto counts in bfloat16 where the processor has instructions for it and "
            "vectors stay within a cosine of 0.999."
        ),
    ] = "auto"
