package practice

import (
	"encoding/json"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

func openMQTT(t *testing.T, c Connection, password string) (paho.Client, error) {
	t.Helper()
	o := paho.NewClientOptions().AddBroker("tcp://" + c.addr()).SetUsername(demoUser).SetPassword(password).SetClientID("test-" + t.Name()).
		SetAutoReconnect(false).SetConnectTimeout(10 * time.Second).SetProtocolVersion(4)
	client := paho.NewClient(o)
	token := client.Connect()
	token.Wait()
	if token.Error() == nil {
		t.Cleanup(func() { client.Disconnect(10) })
	}
	return client, token.Error()
}

func checkMQTT(t *testing.T, c Connection) {
	t.Helper()
	client, err := openMQTT(t, c, demoPassword)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan paho.Message, 1000)
	if token := client.Subscribe(topicRoot+"/about", 0, func(_ paho.Client, m paho.Message) { got <- m }); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	select {
	case m := <-got:
		if !m.Retained() || !strings.Contains(string(m.Payload()), company) {
			t.Errorf("mqtt: %v %s", m.Retained(), m.Payload())
		}
	case <-time.After(20 * time.Second):
		t.Error("mqtt: no retained message came")
	}
}

func TestMQTT_SensorsPublish(t *testing.T) {
	c := running(t)["mqtt"]
	client, err := openMQTT(t, c, demoPassword)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	retained, live := map[string]string{}, map[string]string{}
	if token := client.Subscribe(c.Settings.Plain["topic"], 0, func(_ paho.Client, m paho.Message) {
		mu.Lock()
		defer mu.Unlock()
		if m.Retained() {
			retained[m.Topic()] = string(m.Payload())
		} else {
			live[m.Topic()] = string(m.Payload())
		}
	}); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	for range 400 {
		mu.Lock()
		done := len(retained) >= 24 && len(live) >= 8
		mu.Unlock()
		if done {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(retained) < 24 || len(live) < 8 {
		t.Fatalf("%d retained, %d live", len(retained), len(live))
	}
	var reading struct {
		Value float64
		Unit  string
		At    time.Time
	}
	if err := json.Unmarshal([]byte(retained[topicRoot+"/northgate/hall-1/climate/temperature"]), &reading); err != nil || reading.Unit != "°C" || reading.Value < 10 || reading.Value > 30 || reading.At.IsZero() {
		t.Errorf("%+v, %v", reading, err)
	}
}

func TestMQTT_ClientsOnlyListen(t *testing.T) {
	c := running(t)["mqtt"]
	if _, err := openMQTT(t, c, "wrong"); err == nil {
		t.Error("a wrong password is let in")
	}
	client, err := openMQTT(t, c, demoPassword)
	if err != nil {
		t.Fatal(err)
	}
	token, ok := client.Subscribe(topicClosed+"/#", 0, nil).(*paho.SubscribeToken)
	if !ok || !token.WaitTimeout(10*time.Second) || token.Result()[topicClosed+"/#"] != 0x80 {
		t.Errorf("the closed topic is open: %v %v", token.Result(), token.Error())
	}
	got := make(chan paho.Message, 100)
	client.Subscribe("#", 0, func(_ paho.Client, m paho.Message) {
		if !strings.HasPrefix(m.Topic(), topicRoot+"/") {
			got <- m
		}
	}).WaitTimeout(10 * time.Second)
	client.Publish("elsewhere/test", 0, true, "x").WaitTimeout(5 * time.Second)
	select {
	case m := <-got:
		t.Errorf("a client published: %s", m.Topic())
	case <-time.After(500 * time.Millisecond):
	}
}

func TestMQTT_MosquittoSub(t *testing.T) {
	client := program(t, "mosquitto_sub", "mosquitto-clients")
	p := running(t)["mqtt"].Settings.Plain
	out, err := exec.CommandContext(t.Context(), client, "-h", p["host"], "-p", p["port"], "-u", p["user"], "-P", demoPassword, "-t", p["topic"], "-C", "30", "-W", "30", "-v").CombinedOutput()
	if err != nil || strings.Count(string(out), "\n") != 30 {
		t.Fatalf("%v\n%s", err, out)
	}
}

// Who comes later gets the newest reading at once, not the first.
func TestMQTT_RetainsTheNewest(t *testing.T) {
	c := running(t)["mqtt"]
	topic := topicRoot + "/northgate/hall-1/climate/temperature"
	live, kept := make(chan string, 10), make(chan string, 10)
	one, err := openMQTT(t, c, demoPassword)
	if err != nil {
		t.Fatal(err)
	}
	one.Subscribe(topic, 0, func(_ paho.Client, m paho.Message) {
		if !m.Retained() {
			live <- string(m.Payload())
		}
	}).WaitTimeout(10 * time.Second)
	first := <-live
	two := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + c.addr()).SetUsername(demoUser).SetPassword(demoPassword).SetClientID("later"))
	if token := two.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer two.Disconnect(10)
	two.Subscribe(topicRoot+"/+/+/climate/#", 0, func(_ paho.Client, m paho.Message) {
		if m.Retained() && m.Topic() == topic {
			kept <- string(m.Payload())
		}
	}).WaitTimeout(10 * time.Second)
	select {
	case got := <-kept:
		if got != first && (len(live) == 0 || got != <-live) {
			t.Errorf("retained %s, live was %s", got, first)
		}
	case <-time.After(20 * time.Second):
		t.Error("nothing was retained")
	}
}

// A last will would be published past the rules; the broker drops it.
func TestMQTT_LastWillIsDropped(t *testing.T) {
	c := running(t)["mqtt"]
	listener, err := openMQTT(t, c, demoPassword)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan paho.Message, 10)
	listener.Subscribe("will/#", 0, func(_ paho.Client, m paho.Message) { got <- m }).WaitTimeout(10 * time.Second)
	o := paho.NewClientOptions().AddBroker("tcp://"+c.addr()).SetUsername(demoUser).SetPassword(demoPassword).SetClientID("dying").
		SetAutoReconnect(false).SetWill("will/of-dying", "x", 0, true)
	dying := paho.NewClient(o)
	if token := dying.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	// A second client of the same name takes its place, which is no goodbye.
	again := paho.NewClient(o)
	if token := again.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer again.Disconnect(10)
	select {
	case m := <-got:
		t.Errorf("the will came: %s", m.Topic())
	case <-time.After(500 * time.Millisecond):
	}
}
