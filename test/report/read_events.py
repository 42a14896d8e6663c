"""Prints the events of a TensorBoard file as JSON lines, by protobuf with the fields of event.proto and summary.proto."""
import json
import struct
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

F = descriptor_pb2.FieldDescriptorProto
file = descriptor_pb2.FileDescriptorProto(name="e.proto", package="t", syntax="proto3")


def message(name, *fields):
    m = file.message_type.add(name=name)
    for field, number, kind, extra in fields:
        m.field.add(name=field, number=number, type=kind, label=F.LABEL_OPTIONAL, **extra)
    return m


message("Value", ("tag", 1, F.TYPE_STRING, {}), ("simple_value", 2, F.TYPE_FLOAT, {}))
summary = message("Summary", ("value", 1, F.TYPE_MESSAGE, {"type_name": ".t.Value"}))
summary.field[0].label = F.LABEL_REPEATED
message("SessionLog", ("status", 1, F.TYPE_INT32, {}))
message(
    "Event",
    ("wall_time", 1, F.TYPE_DOUBLE, {}),
    ("step", 2, F.TYPE_INT64, {}),
    ("file_version", 3, F.TYPE_STRING, {}),
    ("summary", 5, F.TYPE_MESSAGE, {"type_name": ".t.Summary"}),
    ("session_log", 7, F.TYPE_MESSAGE, {"type_name": ".t.SessionLog"}),
)
pool = descriptor_pool.DescriptorPool()
pool.Add(file)
Event = message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName("t.Event"))

data = open(sys.argv[1], "rb").read()
at = 0
while at < len(data):
    (length,) = struct.unpack_from("<Q", data, at)
    event = Event.FromString(data[at + 12 : at + 12 + length])
    print(json.dumps(json_format.MessageToDict(event)))
    at += 16 + length
assert at == len(data)
