"""Records a touchpoint and reads the customer's churn risk with the position that was answered, at once; and watches.

Needs nothing but grpcio and grpcio-reflection: messages are made from the descriptors that the servers give.

    python client.py GATEWAY CHURN, for example: python client.py 127.0.0.1:7400 127.0.0.1:7403

Prints what it read as one line of JSON.
"""

import datetime
import json
import sys
import uuid

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

DEADLINE_S = 20
SILENT_DAYS = 7


class Service:
    """A gRPC service, called by the names of its methods, with messages as dictionaries."""

    def __init__(self, channel, name):
        self._channel = channel
        pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        self._service = pool.FindServiceByName(name)

    def call(self, method, request):
        return plain(self._send(self._channel.unary_unary, method, request))

    def stream(self, method, request):
        return map(plain, self._send(self._channel.unary_stream, method, request))

    def _send(self, kind, method, request):
        found = self._service.FindMethodByName(method)
        ask = message_factory.GetMessageClass(found.input_type)
        answer = message_factory.GetMessageClass(found.output_type)
        send = kind(
            f"/{self._service.full_name}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString,
        )
        return send(json_format.ParseDict(request, ask()), timeout=DEADLINE_S)


def plain(message):
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


class Watch:
    """The customers at risk, kept as they change: a dictionary from customer to what is said."""

    def __init__(self, risks):
        self._answers = risks.stream("WatchRisk", {})
        self.customers = {}
        self._read(lambda answer: answer.get("mark", {}).get("list_complete"))

    def until_position(self, position):
        self._read(lambda answer: int(answer.get("mark", {}).get("position", 0)) >= int(position))

    def _read(self, is_enough):
        for answer in self._answers:
            for change in answer.get("changes", []):
                if change["step"]["effect"] == "WATCH_EFFECT_LEFT":
                    self.customers.pop(change["customer_id"], None)
                else:
                    self.customers[change["customer_id"]] = change
            if is_enough(answer):
                return


def touchpoint(customer, event, occurred_at):
    return {
        "id": event,
        "source": "tests/python",
        "customer_id": customer,
        "occurred_at": occurred_at.isoformat(),
        "channel": "CHANNEL_IN_PERSON",
        "visit_recorded": {
            "visit_id": f"V-{event[:8]}",
            "kind": "VISIT_KIND_FIRST",
            "purpose": "VISIT_PURPOSE_SALES_CENTRE",
            "lead_source": "LEAD_SOURCE_WALK_IN",
            "consultant_id": "K-1",
        },
    }


def main(gateway, churn):
    with grpc.insecure_channel(gateway) as writing, grpc.insecure_channel(churn) as reading:
        touchpoints = Service(writing, "lifefold.v1.TouchpointService")
        risks = Service(reading, "lifefold.v1.ChurnRiskService")
        customer, event = str(uuid.uuid4()), str(uuid.uuid4())
        visited = datetime.datetime(2025, 3, 1, 8, tzinfo=datetime.timezone.utc)
        watch = Watch(risks)
        recorded = touchpoints.call("Record", {"touchpoint": touchpoint(customer, event, visited)})
        query = {
            "min_position": recorded["position"],
            "as_of": (visited + datetime.timedelta(days=SILENT_DAYS)).isoformat(),
        }
        answer = risks.call("GetRisk", {"customer_id": customer, "query": query})
        watch.until_position(recorded["position"])
        told = {"customer": customer, "event": event, "recorded": recorded, "answer": answer}
        print(json.dumps({**told, "watched": watch.customers.get(customer)}))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
